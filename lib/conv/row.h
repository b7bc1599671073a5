/*
 * What an algorithm sees: the problem it is asked about, the plan it prepares, the call it runs; and the table's row.
 *
 * A plan is an algorithm plus what was fixed when it was made. An algorithm is one file that exports one row.
 */
#ifndef CB_CONV_ROW_H
#define CB_CONV_ROW_H

#include "base/parallel.h"
#include "conv/geometry.h"

enum {
  CB_MAX_ALGORITHMS = 16,
  CB_MAX_LOOPS = 6,       /* of a call */
  CB_WORKSPACE = 4 << 20, /* bytes a thread where the caller sets no limit, and of rows that declare none */
  CB_TASK_MACS =
      6 << 20, /* most multiply-adds of a task where there is work for several threads, of rows that declare none */
  CB_FORWARD_IMAGES = 2, /* by which it is judged whether an algorithm applies to a forward, and its cost */
  CB_SERIAL_MACS =
      250000 /* multiply-adds that gain nothing by a second thread: 200,000 took 3.8 us on one and 3.9 us on two
                             that were awake (Zen 5); with more threads the region costs more */
};

/* What is to be done, without regard to how. Nothing in it depends on the number of threads: neither may
   the choice of an algorithm, nor any order of sums. */
typedef struct {
  cb_geometry geo;
  cnnblas_conv_direction direction;
  bool accumulate;
  bool packed;                      /* the weights come as the row's packing makes them */
  bool limited;                     /* the caller set a limit to the workspace */
  cnnblas_accuracy_policy accuracy; /* which rows the automatic choice may take */
  size_t budget;                    /* workspace bytes a thread may use, shared parts included; 0 with policy "none" */
  struct cb_count *count;           /* where an estimate leaves what it counted (costs.h); NULL: nowhere */
} cb_problem;

/* How the work is cut; fields that an algorithm does not use stay 0. For the algorithm itself and for describe. */
typedef struct {
  int64_t p_tile, q_tile, k_tile, c_tile; /* extents of a tile */
  int64_t leaves;                         /* of the tree in which a weight gradient is summed (sum_tree.h) */
  int64_t segments;                       /* subtrees that are tasks of their own */
  int64_t tasks;                          /* independent tasks of a call on the plan's n images */
  bool packs;                             /* each call packs the weights */
  size_t shared_bytes, thread_bytes;      /* workspace: once, and for each thread */
} cb_tiling;

typedef struct cb_algorithm cb_algorithm;

struct cnnblas_conv_plan {
  cb_problem problem;
  cnnblas_conv_options options; /* .algorithm and .wisdom are NULL here: what they point to may be gone */
  const cb_algorithm *algorithm;
  cb_tiling tiling;
  int threads;                        /* at most */
  int team;                           /* that the work is cut for: 1 if it is too little for a second */
  int64_t c, kernel[3];               /* of the descriptor: the geometry may see filter and image as one pixel */
  void *state;                        /* the algorithm's own, made by prepare and freed by release */
  bool forced;                        /* by name */
  bool forced_family;                 /* the name left the orientation open */
  bool recalled;                      /* the wisdom knew the choice */
  double seconds[CB_MAX_ALGORITHMS];  /* per row of the table: estimated; 0: it does not apply */
  double measured[CB_MAX_ALGORITHMS]; /* likewise the least time, where the effort measured; else 0 */
};

/* One execution. Inputs not of the plan's direction are NULL. */
typedef struct {
  const cnnblas_conv_plan *plan;
  int64_t n;
  const void *x, *w, *dy; /* w: as the row's packing makes them, if the problem says packed */
  void *out;              /* y, dx or dw */
  const void *bias, *residual;
  cnnblas_activation_kind activation; /* of the store: identity or ReLU */
  const cnnblas_activation *pass;     /* over the result afterwards; NULL: none */
  bool accumulate;                    /* the plan's; or y holds a residual that could not be moved */
  int threads;
  char *shared, *scratch; /* 64-byte aligned; scratch of worker i at scratch + i * tiling.thread_bytes */
  void *db;               /* [k] bias gradient, NULL: none */
  /* The work, as the row's work() says it: loops that the executor runs in one region, again in each round. */
  cb_loop loop[CB_MAX_LOOPS];
  int loops;
  int64_t rounds, round; /* a round is a region of its own; round is the current one, from 0 */
  int64_t segments;      /* of a weight gradient: partial results in `shared` that are joined; 1: none */
} cb_call;

/* How weights are packed once for many calls (packed.h). Rows of one name that share one take each other's packed weights. */
typedef struct {
  const char *form; /* a word for what the packed weights are */
  /* Bytes of the packed weights; false if they do not fit in 63 bits. */
  bool (*bytes)(const cb_geometry *geo, int64_t *bytes);
  /* Independent tasks of the packing; one of them, from w as it is to packed, which is aligned to 64 bytes. */
  int64_t (*tasks)(const cb_geometry *geo);
  void (*pack)(const cb_geometry *geo, int64_t task, const void *w, void *packed);
} cb_packing;

/*
 * A row of the table. Rows of one name do the same sums, in the same order where the direction is forward, with other indices
 * on the vectors' lanes: their orientations, each by itself a row that is asked for as "name:orientation".
 */
struct cb_algorithm {
  const char *name, *orientation; /* orientation: what lies on the lanes; NULL: the name's only row */
  const char *full_name;          /* "name:orientation", or the name */
  cnnblas_accuracy accuracy;
  unsigned
      directions; /* CB_FORWARD and so on, together: those it does for some problems; the table refuses the others */
  cnnblas_algorithm_scope scope; /* problems of these that it takes; the table refuses those outside */
  int32_t workspace, task_macs;  /* as CB_WORKSPACE, CB_TASK_MACS; 0: those */
  bool by_name_only;             /* never chosen while another applies */
  bool one_thread;               /* it has one task */
  bool by_batch;                 /* whether it applies follows the number of images */
  /* True if it can do the problem, which is within its directions and scope; else a reason is written. NULL: it can. */
  bool (*applies)(const cb_problem *problem, char *why, size_t size);
  /* Estimated seconds for the whole batch (costs.h); to be compared, nothing more. */
  double (*cost)(const cb_problem *problem);
  /* Fixes plan->tiling, and plan->state if it needs one. */
  cnnblas_status (*prepare)(cnnblas_conv_plan *plan);
  void (*release)(cnnblas_conv_plan *plan); /* may be NULL */
  /* Adds the loops of a call (cb_call_add), whose fields but those of the work are filled in. */
  void (*work)(cb_call *call);
  bool uses_blas;
  bool residual_apart;       /* y is written before the residual is read, so the residual must lie elsewhere */
  const cb_packing *packing; /* how it packs weights once for many calls; NULL: it cannot do a packed problem */
};

enum {
  CB_FORWARD = 1 << CNNBLAS_FORWARD,
  CB_BACKWARD_DATA = 1 << CNNBLAS_BACKWARD_DATA,
  CB_BACKWARD_WEIGHTS = 1 << CNNBLAS_BACKWARD_WEIGHTS,
  CB_EVERY_DIRECTION = CB_FORWARD | CB_BACKWARD_DATA | CB_BACKWARD_WEIGHTS
};

/* The names of a row, as designated initialisers. */
#define CB_NAMED(NAME)                 .name = (NAME), .full_name = (NAME)
#define CB_ORIENTED(NAME, ORIENTATION) .name = NAME, .orientation = ORIENTATION, .full_name = NAME ":" ORIENTATION

/* Element index of an array of the geometry's dtype. */
static inline const void *cb_at(const void *array, int64_t index, size_t element)
{
  return (const char *)array + (size_t)index * element;
}
static inline void *cb_at_mut(void *array, int64_t index, size_t element)
{
  return (char *)array + (size_t)index * element;
}

/* One more loop of the call's work; its tasks have the call as their context. */
static inline void cb_call_add(cb_call *call, int64_t tasks, cb_task run)
{
  call->loop[call->loops++] = (cb_loop){tasks, run, call};
}

static inline void *cb_scratch(const cb_call *call, int worker)
{
  return call->scratch + (size_t)worker * call->plan->tiling.thread_bytes;
}

#endif
