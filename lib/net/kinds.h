/* Every kind of layer that the notation knows. */
#ifndef CB_NET_KINDS_H
#define CB_NET_KINDS_H

#include "net/kind.h"

/* The rows of all kinds; the list ends with NULL. */
extern const cb_net_row *const cb_net_rows[];

#endif
