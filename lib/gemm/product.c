/* The loops over tiles and chunks; see product.h. */
#include "gemm/product.h"
#include "base/size.h"

void cb_chunks_cut(int64_t steps, int64_t chunks, int32_t *cut)
{
  for (int64_t i = 0; i <= chunks; i++) cut[i] = (int32_t)cb_split(steps, chunks, i);
}

static inline const void *at(const void *array, int64_t index, size_t element)
{
  return (const char *)array + index * (int64_t)element;
}
static inline void *at_mut(void *array, int64_t index, size_t element)
{
  return (char *)array + index * (int64_t)element;
}

/* Stores m rows of a tile, the first of which is row `first` of the block. */
static void store_tile(const cb_product *p, const cb_store *whole, int64_t first, int64_t m)
{
  cb_store store =
      cb_store_at(whole, whole->place ? 0 : first * whole->row_step, whole->bias_rows ? first : 0, p->element);
  if (store.place) store.place += first;
  store.c = at(p->c, p->skip, p->element);
  store.ldc = p->ldc;
  store.m = m;
  p->engine->store(&store);
}

/* Asks the caches for the places of m rows: the store, or the kernel, would wait for each of them. */
static void ask_tile(const cb_product *p, const cb_store *store, const void *c, int64_t first, int64_t m)
{
  enum { FAR = 256 }; /* bytes; rows that span more lie in several lines, of which only the first is asked for */
  const int64_t element = (int64_t)p->element;
  if (!store) {
    p->engine->ask(c, p->ldc * element, m, (int64_t)p->vectors * p->engine->lanes * element);
    return;
  }
  if (!store->place) {
    p->engine->ask(at(store->out, first * store->row_step, p->element), store->row_step * element, m,
                   store->count * element);
    return;
  }
  const int64_t *place = store->place + first, span = (place[m - 1] - place[0] + 1) * element;
  p->engine->ask(at(store->out, place[0], p->element), store->lane_step * element, store->count, span < FAR ? span : 1);
}

/* Runs one item of the batch. What tiles need is kept in variables: the caches are full of operands, and each look into
   a structure waits for L2. */
static void run_item(const cb_product *p, const void *a, const void *b, void *c, const cb_store *store)
{
  const cb_kernel *kernel = p->engine->kernel[p->vectors];
  const int64_t tiles = cb_parts(p->rows, p->engine->rows[p->vectors]);
  const int64_t least = p->rows / tiles, more = p->rows % tiles;
  const int64_t a_hop = p->a_hop * (int64_t)p->element, c_hop = store ? 0 : p->ldc * (int64_t)p->element;
  const int64_t chunks = p->walk.chunks;
  const int32_t *awalk = p->walk.a, *bwalk = p->walk.b, *cut = p->walk.cut;
  const bool add = p->add, ask = p->ask, early = store != NULL;
  cb_tile tile = {.a = a, .row = p->row, .b = b, .c = c, .ldc = p->ldc, .ahead = p->ahead, .past = p->past};
  if (ask && early) ask_tile(p, store, c, 0, least + (more > 0));
  for (int64_t t = 0, first = 0, m; t < tiles; t++, first += m) {
    m = least + (t < more);
    if (ask && !early) ask_tile(p, store, tile.c, first, m);
    if (ask && early && t + 1 < tiles) ask_tile(p, store, tile.c, first + m, least + (t + 1 < more));
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
      const int32_t from = cut[chunk];
      tile.awalk = awalk + from;
      tile.bwalk = bwalk + from;
      tile.steps = cut[chunk + 1] - from;
      tile.add = add || chunk > 0;
      kernel[m](&tile);
    }
    if (store) store_tile(p, store, first, m);
    if (a_hop)
      tile.a = (const char *)tile.a + m * a_hop;
    else
      tile.row += m;
    tile.c = (char *)tile.c + m * c_hop;
  }
}

void cb_product_run(const cb_product *p)
{
  const cb_store *store = p->store;
  cb_store moved;
  const char *a = p->a, *b = p->b;
  char *c = p->c;
  for (int64_t i = 0; i < cb_max(p->batch.count, 1) && p->rows > 0; i++) {
    if (i > 0 && store) {
      moved = cb_store_at(p->store, i * p->batch.c, i * p->batch.bias, p->element);
      store = &moved;
    }
    run_item(p, a, b, c, store);
    a += p->batch.a * (int64_t)p->element;
    b += p->batch.b * (int64_t)p->element;
    if (!store) c += p->batch.c * (int64_t)p->element;
  }
}

void cb_dots_run(const cb_dots_product *p)
{
  const int64_t across = cb_parts(p->columns, p->engine->dots_columns), down = cb_parts(p->rows, p->engine->dots_rows);
  const int64_t least = p->rows / down, more = p->rows % down;
  cb_dots tile = {.pitch = p->pitch, .walk = p->walk, .steps = p->steps, .ldc = p->ldc};
  if (p->rows == 0 || p->columns == 0) return;
  for (int64_t j = 0; j < across; j++) {
    const int64_t column = cb_split(p->columns, across, j), columns = cb_split(p->columns, across, j + 1) - column;
    const cb_dots_kernel *kernel = p->engine->dots[columns];
    tile.a = p->a;
    tile.b = at(p->b, column * p->b_hop, p->element);
    tile.col = p->b_hop ? p->col : p->col + column;
    tile.c = at_mut(p->c, column, p->element);
    for (int64_t i = 0; i < down; i++) {
      const int64_t m = least + (i < more);
      kernel[m](&tile);
      tile.a = at(tile.a, m * p->pitch, p->element);
      tile.c = at_mut(tile.c, m * p->ldc, p->element);
    }
  }
}
