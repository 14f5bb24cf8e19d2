/* A picture of pictures: a few of each class. */
#ifndef CLI_CONTACT_SHEET_H
#define CLI_CONTACT_SHEET_H

#include "camcl/model.h"

enum { CLI_SHEET_COLUMNS = 8 };

/* Writes a PNG with one row for each class, in the classes' order: its first labelled images, as many as there are, up to
 * CLI_SHEET_COLUMNS. *rows: how many classes found room. */
camcl_status cli_contact_sheet(const char *path, const camcl_config *config, const camcl_dataset *dataset, size_t *rows, camcl_error *err);

#endif
