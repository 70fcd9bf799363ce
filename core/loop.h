/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: descriptors, timers, signals and child processes of one thread (epoll). */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/error.h"

struct loop;
struct loop_source; /* one registration; valid until it is cancelled, or has fired if one-shot */

/* The loop must outlive its sources' owners; freeing it drops all sources that are left. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);
DEFINE_CLEANUP(loop);

/* Milliseconds of CLOCK_MONOTONIC: what every `deadline_ms` is compared with. */
int64_t loop_now_ms(void);

/* `events` are EPOLLIN and/or EPOLLOUT; the callback gets what epoll reported. The fd stays the
 * caller's. */
struct loop_source *loop_watch_fd(struct loop *loop, int fd, uint32_t events,
                                  void (*ready)(void *context, uint32_t events), void *context);

/* One shot: the source is gone when `fired` is called. */
struct loop_source *loop_start_timer(struct loop *loop, int64_t delay_ms,
                                     void (*fired)(void *context), void *context);

/* One shot, once the child has ended; `status` is waitpid()'s. The child is reaped by the loop
 * (pidfd). */
struct loop_source *loop_watch_child(struct loop *loop, pid_t pid,
                                     void (*ended)(void *context, int status), void *context);

/* The signal is blocked for the process and delivered here instead (signalfd), until cancelled. */
struct loop_source *loop_watch_signal(struct loop *loop, int signal_number,
                                      void (*arrived)(void *context, int signal_number),
                                      void *context);

/* NULL is allowed. Safe within any callback, that of the source itself included; it is never called
 * again. */
void loop_cancel(struct loop_source *source);

/* Waits for the next events at most until `deadline_ms` (-1: for ever) and dispatches them. False
 * when there is nothing to wait for. */
bool loop_step(struct loop *loop, int64_t deadline_ms);

/* Steps until `done(context)` is true: true; false at the deadline, or when no source is left. */
bool loop_run_until(struct loop *loop, bool (*done)(const void *context), const void *context,
                    int64_t deadline_ms);

#endif
