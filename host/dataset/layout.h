/* How a folder of pictures is laid out: which of its folders holds what. */
#ifndef CC_DATASET_LAYOUT_H
#define CC_DATASET_LAYOUT_H

#include <stdbool.h>

#include "base/diag.h"
#include "dataset/entries.h"

/* What a folder of the root is for, by its name. */
typedef enum cc_role { CC_ROLE_TRAIN, CC_ROLE_TEST, CC_ROLE_VALIDATION, CC_ROLE_UNLABELED, CC_ROLES } cc_role;

/* Paths by role; NULL where there is no such folder. Without a folder for training, the root itself is that of the classes. */
typedef struct cc_layout {
    char *paths[CC_ROLES];
    bool is_flat; /* paths[CC_ROLE_TRAIN] is the root */
} cc_layout;

/* The role that a name stands for, in any case of letters; CC_ROLES: none. */
cc_role cc_role_of(const char *name);

/* Finds the roles among the entries of root. A validation set without a test set is the test set. The caller frees with cc_layout_free,
 * also after an error. CAMCL_BAD_DATA: two folders for one role, or a test or validation set beside classes. */
camcl_status cc_layout_find(const char *root, const cc_entries *entries, cc_layout *out, camcl_error *err);
void cc_layout_free(cc_layout *layout);

#endif
