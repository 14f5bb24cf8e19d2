/* The names of what camcl cam writes. */
#ifndef CLI_CAM_NAMES_H
#define CLI_CAM_NAMES_H

#include "camcl/pictures.h"

/* One name for each picture of the list: its path below the folder that was walked (for a file that was given: its name), without the
 * extension. CAMCL_BAD_CONFIG where two pictures have one name, since one would overwrite the other. Free with cli_cam_names_free. */
camcl_status cli_cam_names(const camcl_picture_list *list, char ***names, camcl_error *err);
void cli_cam_names_free(char ***names, size_t count);

#endif
