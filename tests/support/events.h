/* Reading TensorBoard's event files without the code that wrote them, as TensorBoard does: files in the order of their names, and steps
 * forgotten where a session starts anew. */
#ifndef TESTS_SUPPORT_EVENTS_H
#define TESTS_SUPPORT_EVENTS_H

#include <stddef.h>
#include <stdint.h>

typedef struct event_point {
    char tag[64];
    uint64_t step;
    float value;        /* of a scalar */
    size_t image_bytes; /* of an image; 0: a scalar */
} event_point;

typedef struct event_points {
    event_point *items;
    size_t count, capacity;
    size_t files, records, forgotten; /* of them all; points that a start made forgotten */
} event_points;

/* Fails the running test where a record is damaged; a last record that is cut off is left out. */
event_points events_read(const char *folder);
void events_free(event_points *points);
/* The only point of this tag and step, or NULL; more than one fails the running test. */
const event_point *events_find(const event_points *points, const char *tag, uint64_t step);

#endif
