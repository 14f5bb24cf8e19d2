#include "dataset/layout.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"

cc_role cc_role_of(const char *name)
{
    static const struct {
        const char *name;
        cc_role role;
    } names[] = { { "train", CC_ROLE_TRAIN },           { "test", CC_ROLE_TEST },
                  { "val", CC_ROLE_VALIDATION },        { "valid", CC_ROLE_VALIDATION },
                  { "validation", CC_ROLE_VALIDATION }, { "unlabeled", CC_ROLE_UNLABELED },
                  { "unlabelled", CC_ROLE_UNLABELED } };
    for (size_t i = 0; i < CC_COUNT(names); i++)
        if (strcasecmp(name, names[i].name) == 0) return names[i].role;
    return CC_ROLES;
}

static camcl_status find_roles(const char *root, const cc_entries *entries, cc_layout *out, camcl_error *err)
{
    for (size_t i = 0; i < entries->count; i++) {
        const char *name = entries->items[i].name;
        cc_role role = cc_role_of(name);
        if (entries->items[i].kind != CC_ENTRY_FOLDER || role == CC_ROLES) continue;
        if (out->paths[role])
            return cc_fail(err, CAMCL_BAD_DATA, "data set folder: %s and %s/%s are for the same (keep one of them)", out->paths[role], root,
                           name);
        CC_RETURN_IF_FAILED(cc_path_join(root, name, &out->paths[role], err));
    }
    return CAMCL_OK;
}

camcl_status cc_layout_find(const char *root, const cc_entries *entries, cc_layout *out, camcl_error *err)
{
    *out = (cc_layout){ { NULL }, false };
    CC_RETURN_IF_FAILED(find_roles(root, entries, out, err));
    if (!out->paths[CC_ROLE_TEST]) {
        out->paths[CC_ROLE_TEST] = out->paths[CC_ROLE_VALIDATION];
        out->paths[CC_ROLE_VALIDATION] = NULL;
    }
    if (out->paths[CC_ROLE_TRAIN]) return CAMCL_OK;
    if (out->paths[CC_ROLE_TEST])
        return cc_fail(
            err, CAMCL_BAD_DATA,
            "data set folder: %s has no %s/train beside it (training pictures belong in train/CLASS/; without a train/, the root "
            "holds nothing but classes and unlabeled/)",
            out->paths[CC_ROLE_TEST], root);
    out->is_flat = true;
    return cc_copy_text(root, &out->paths[CC_ROLE_TRAIN], err);
}

void cc_layout_free(cc_layout *layout)
{
    for (int role = 0; role < CC_ROLES; role++)
        free(layout->paths[role]);
    *layout = (cc_layout){ { NULL }, false };
}
