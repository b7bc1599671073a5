/*
 * What an algorithm sees: the problem it is asked about, the plan it prepares, the call it runs; and the table's row.
 *
 * A plan is an algorithm plus what was fixed when it was made. An algorithm is one file that exports one row.
 */
#ifndef CB_CONV_ROW_H
#define CB_CONV_ROW_H

#include "base/parallel.h"
#include "conv/geometry.h"

/* Limits of the table and of a call, and what holds for rows that declare no figures of their own. */
enum {
  CB_MAX_ALGORITHMS = 16,
  CB_MAX_LOOPS = 6,       /* the most loops of a call */
  CB_WORKSPACE = 4 << 20, /* bytes of workspace a thread where the caller sets no limit */
  CB_TASK_MACS = 6 << 20, /* the most multiply-adds of a task where there is work for several threads */
  CB_FORWARD_IMAGES = 2,  /* images by which it is judged whether an algorithm applies to a forward, and its cost */
  /* multiply-adds that gain nothing by a second thread: 200,000 took 3.8 us on one thread and 3.9 us on two that were
     awake (Zen 5); with more threads the region costs more */
  CB_SERIAL_MACS = 250000
};

/* What is to be done, without regard to how. Nothing in it depends on the number of threads: neither may
   the choice of an algorithm, nor any order of sums. */
typedef struct {
  cb_geometry geo;
  cnnblas_conv_direction direction;
  bool accumulate;
  bool packed;                      /* the weights are packed, as the row's packing makes them */
  bool limited;                     /* the caller set a limit to the workspace */
  cnnblas_accuracy_policy accuracy; /* which rows the automatic choice may take */
  size_t budget;          /* bytes of workspace that a thread may use, shared parts included; 0 with policy "none" */
  struct cb_count *count; /* where an estimate leaves what it counted (costs.h), or NULL */
} cb_problem;

/* How the work is cut, for the algorithm itself and for describe. Fields that an algorithm does not use stay 0. */
typedef struct {
  int64_t p_tile, q_tile, k_tile, c_tile; /* the most pixels, taps, filters and channels of a tile */
  int64_t leaves;                         /* leaves of the tree in which a weight gradient is summed (sum_tree.h) */
  int64_t segments;                       /* subtrees of that tree that are tasks of their own */
  int64_t tasks;                          /* independent tasks of a call on the plan's n images */
  bool packs;                             /* each call packs the weights */
  size_t shared_bytes, thread_bytes;      /* bytes of workspace: once a call, and for each thread */
} cb_tiling;

typedef struct cb_algorithm cb_algorithm;

/* A plan: the algorithm, and what was fixed when the plan was made. */
struct cnnblas_conv_plan {
  cb_problem problem;
  /* the caller's options, but for .algorithm and .wisdom, which are NULL: what they point to may be gone */
  cnnblas_conv_options options;
  const cb_algorithm *algorithm;
  cb_tiling tiling;
  int threads;                        /* the most threads of a call */
  int team;                           /* threads that the work is cut for: 1 if there is too little work for a second */
  int64_t c, kernel[3];               /* the descriptor's: the geometry may see filter and image as one pixel */
  void *state;                        /* the algorithm's own state, made by prepare and freed by release */
  bool forced;                        /* the caller named the algorithm */
  bool forced_family;                 /* the caller's name left the orientation open */
  bool recalled;                      /* the wisdom already knew the choice */
  double seconds[CB_MAX_ALGORITHMS];  /* estimated seconds of each row of the table; 0 for a row that does not apply */
  double measured[CB_MAX_ALGORITHMS]; /* least measured seconds of each row; 0 for a row that was not measured */
};

/* One execution of a plan. Inputs that the plan's direction does not read are NULL. */
typedef struct {
  const cnnblas_conv_plan *plan;
  int64_t n;              /* images of this call */
  const void *x, *w, *dy; /* the inputs; w is as the row's packing makes it, if the problem says packed */
  void *out;              /* the output: y, dx or dw */
  const void *bias, *residual;
  const void *bounds; /* the store brings results between these two elements: ReLU and clip; NaN stays; or NULL */
  const cnnblas_activation *pass; /* another activation of the stored result, or NULL */
  bool accumulate; /* out holds what is added to: the plan says so, or y holds a residual that could not be moved */
  int threads;
  char *shared, *scratch; /* workspace, 64-byte aligned: of all; of worker i, at scratch + i * tiling.thread_bytes */
  void *db;               /* [k] the bias gradient, or NULL */
  /* The work, as the row's work() says it: loops that the executor runs in one region, again in each round. */
  cb_loop loop[CB_MAX_LOOPS];
  int loops;
  int64_t rounds, round; /* how many rounds there are, each a region of its own; the current one's number, from 0 */
  int64_t segments;      /* a weight gradient's partial results in `shared`, which are joined; 1 if there are none */
} cb_call;

/* How weights are packed once for many calls (packed.h). Rows of one name that share one take each other's packed
   weights. */
typedef struct {
  const char *form;    /* a word for what the packed weights are */
  const char *rotated; /* the same where filters are rotated; NULL if weights are packed alike whether or not */
  /* Bytes of the packed weights; false if they do not fit in 63 bits. */
  bool (*bytes)(const cb_geometry *geo, int64_t *bytes);
  /* The number of independent tasks of the packing. */
  int64_t (*tasks)(const cb_geometry *geo);
  /* Runs one task, from w as it is to packed, which is aligned to 64 bytes. */
  void (*pack)(const cb_geometry *geo, int64_t task, const void *w, void *packed);
} cb_packing;

/*
 * A row of the table. Rows of one name do the same sums, in the same order where the direction is forward, with other
 * indices on the vectors' lanes: their orientations, each by itself a row that is asked for as "name:orientation".
 */
struct cb_algorithm {
  const char *name, *orientation; /* orientation says what lies on the lanes; NULL if the name has one row only */
  const char *full_name;          /* "name:orientation", or the name if orientation is NULL */
  cnnblas_accuracy accuracy;      /* the bound on the error that the row holds */
  /* the directions (CB_FORWARD and so on, or-ed) that the row does for some problems; the table refuses the others */
  unsigned directions;
  cnnblas_algorithm_scope scope; /* problems of those directions that the row takes; the table refuses the others */
  int32_t workspace, task_macs;  /* the row's figures for CB_WORKSPACE and CB_TASK_MACS; 0 for these constants */
  bool by_name_only;             /* the row is never chosen while another applies */
  bool one_thread;               /* a call of the row has one task */
  bool by_batch;                 /* whether the row applies follows the number of images */
  /* True if the row can do a problem within its directions and scope; else `why` gets the reason. NULL if it always
     can. */
  bool (*applies)(const cb_problem *problem, char *why, size_t size);
  /* Estimated seconds for the whole batch (costs.h), only to be compared with those of other rows. */
  double (*cost)(const cb_problem *problem);
  /* Fixes plan->tiling, and makes plan->state if the row needs one. */
  cnnblas_status (*prepare)(cnnblas_conv_plan *plan);
  void (*release)(cnnblas_conv_plan *plan); /* frees plan->state; NULL if there is nothing to free */
  /* Adds the loops of a call (cb_call_add); all other fields of the call are filled in. */
  void (*work)(cb_call *call);
  bool uses_blas;
  bool residual_apart;       /* the row writes y before it reads the residual, which must therefore lie elsewhere */
  const cb_packing *packing; /* how the row packs a forward's weights once for many calls; NULL: it takes none packed */
  const cb_packing *data_packing; /* the same for an input gradient */
};

/* How the row packs the weights of problems of a direction; NULL if it cannot do a packed one. */
static inline const cb_packing *cb_row_packing(const cb_algorithm *row, cnnblas_conv_direction direction)
{
  return direction == CNNBLAS_FORWARD ? row->packing : direction == CNNBLAS_BACKWARD_DATA ? row->data_packing : NULL;
}

enum {
  CB_FORWARD = 1 << CNNBLAS_FORWARD,
  CB_BACKWARD_DATA = 1 << CNNBLAS_BACKWARD_DATA,
  CB_BACKWARD_WEIGHTS = 1 << CNNBLAS_BACKWARD_WEIGHTS,
  CB_EVERY_DIRECTION = CB_FORWARD | CB_BACKWARD_DATA | CB_BACKWARD_WEIGHTS
};

/* The names of a row, as designated initialisers. */
#define CB_NAMED(NAME)                 .name = (NAME), .full_name = (NAME)
#define CB_ORIENTED(NAME, ORIENTATION) .name = NAME, .orientation = ORIENTATION, .full_name = NAME ":" ORIENTATION

/* The address of element `index` of an array whose elements have `element` bytes. */
static inline const void *cb_at(const void *array, int64_t index, size_t element)
{
  return (const char *)array + (size_t)index * element;
}
static inline void *cb_at_mut(void *array, int64_t index, size_t element)
{
  return (char *)array + (size_t)index * element;
}

/* Adds a loop of `tasks` tasks to the call's work; the tasks have the call as their context. */
static inline void cb_call_add(cb_call *call, int64_t tasks, cb_task run)
{
  call->loop[call->loops++] = (cb_loop){tasks, run, call};
}

/* The scratch of a worker, of tiling.thread_bytes. */
static inline void *cb_scratch(const cb_call *call, int worker)
{
  return call->scratch + (size_t)worker * call->plan->tiling.thread_bytes;
}

#endif
