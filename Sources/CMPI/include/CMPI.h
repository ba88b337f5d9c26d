#ifndef CMPI_H
#define CMPI_H

// The few functions of MPI that training needs, of Open MPI 4 (libmpi.so.40), loaded at run time: who trains on one machine needs none.
//
// When another process is gone the library ends this one: that is Open MPI's default, so nothing here fails after the start.

#include <stddef.h>

enum { CM_DONE = 0, CM_MISSING = 1, CM_FAILED = 2 };

/// Joins the processes of this mpirun: the own number, from 0, and how many there are. Once a process, before all others.
int cm_start(int *rank, int *count);
void cm_send(const void *bytes, size_t count, int to);
void cm_receive(void *bytes, size_t count, int from);
/// From one to all others; all call it.
void cm_broadcast(void *bytes, size_t count, int from);
/// Comes back when all have called it.
void cm_wait_for_all(void);
/// Without it mpirun takes the end of a process for a failure, and ends the others.
void cm_end(void);

#endif
