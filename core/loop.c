/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: everything is a descriptor (timerfd, signalfd, pidfd) in one epoll. */
#include "core/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "core/memory.h"

enum source_kind {
	SOURCE_FD,
	SOURCE_TIMER,
	SOURCE_CHILD,
	SOURCE_SIGNAL,
};

struct loop_source {
	struct loop *loop;
	enum source_kind kind;
	int fd; /* owned, but for SOURCE_FD */
	bool cancelled;
	pid_t pid;
	int signal_number;
	union {
		void (*ready)(void *context, uint32_t events);
		void (*fired)(void *context);
		void (*ended)(void *context, int status);
		void (*arrived)(void *context, int signal_number);
	};
	void *context;
	struct loop_source *prev, *next;
};

struct loop {
	int epoll_fd;
	struct loop_source *sources;
	struct loop_source *dead; /* cancelled while events are being dispatched */
	bool dispatching;
};

int64_t loop_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		abort();
	return loop;
}

static void source_release(struct loop_source *source)
{
	if (source->kind != SOURCE_FD && source->fd >= 0)
		close(source->fd);
	free(source);
}

static void bury(struct loop *loop)
{
	struct loop_source *source, *next;

	DL_FOREACH_SAFE(loop->dead, source, next)
	{
		DL_DELETE(loop->dead, source);
		source_release(source);
	}
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->sources)
		loop_cancel(loop->sources);
	bury(loop);
	close(loop->epoll_fd);
	free(loop);
}

static struct loop_source *source_new(struct loop *loop, enum source_kind kind, int fd,
                                      uint32_t events, void *context)
{
	struct loop_source *source = xcalloc(1, sizeof(*source));
	struct epoll_event event = { .events = events, .data.ptr = source };

	assert(fd >= 0);
	source->loop = loop;
	source->kind = kind;
	source->fd = fd;
	source->context = context;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		abort();
	DL_APPEND(loop->sources, source);
	return source;
}

struct loop_source *loop_watch_fd(struct loop *loop, int fd, uint32_t events,
                                  void (*ready)(void *context, uint32_t events), void *context)
{
	struct loop_source *source = source_new(loop, SOURCE_FD, fd, events, context);

	source->ready = ready;
	return source;
}

struct loop_source *loop_start_timer(struct loop *loop, int64_t delay_ms,
                                     void (*fired)(void *context), void *context)
{
	/* A timerfd that is set to zero never fires. */
	int64_t nanoseconds = delay_ms > 0 ? delay_ms * 1000000 : 1;
	struct itimerspec when = { .it_value = { .tv_sec = nanoseconds / 1000000000,
		                                 .tv_nsec = nanoseconds % 1000000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	struct loop_source *source = source_new(loop, SOURCE_TIMER, fd, EPOLLIN, context);

	if (timerfd_settime(fd, 0, &when, NULL))
		abort();
	source->fired = fired;
	return source;
}

struct loop_source *loop_watch_child(struct loop *loop, pid_t pid,
                                     void (*ended)(void *context, int status), void *context)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct loop_source *source = source_new(loop, SOURCE_CHILD, fd, EPOLLIN, context);

	source->pid = pid;
	source->ended = ended;
	return source;
}

struct loop_source *loop_watch_signal(struct loop *loop, int signal_number,
                                      void (*arrived)(void *context, int signal_number),
                                      void *context)
{
	struct loop_source *source;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, signal_number);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	source = source_new(loop, SOURCE_SIGNAL, signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK),
	                    EPOLLIN, context);
	source->signal_number = signal_number;
	source->arrived = arrived;
	return source;
}

static void unblock(int signal_number)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, signal_number);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
}

void loop_cancel(struct loop_source *source)
{
	struct loop *loop;

	if (!source || source->cancelled)
		return;
	loop = source->loop;
	source->cancelled = true;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	if (source->kind == SOURCE_SIGNAL)
		unblock(source->signal_number);
	DL_DELETE(loop->sources, source);
	/* An event of this turn may still point to it. */
	if (loop->dispatching)
		DL_APPEND(loop->dead, source);
	else
		source_release(source);
}

static void dispatch_child(struct loop_source *source)
{
	void (*ended)(void *context, int status) = source->ended;
	void *context = source->context;
	int status = 0;

	if (waitpid(source->pid, &status, WNOHANG) == 0)
		return;
	loop_cancel(source);
	ended(context, status);
}

static void dispatch_timer(struct loop_source *source)
{
	void (*fired)(void *context) = source->fired;
	void *context = source->context;

	loop_cancel(source);
	fired(context);
}

static void dispatch_signal(struct loop_source *source)
{
	struct signalfd_siginfo info;

	while (!source->cancelled && read(source->fd, &info, sizeof(info)) == sizeof(info))
		source->arrived(source->context, (int)info.ssi_signo);
}

static void dispatch(struct loop_source *source, uint32_t events)
{
	if (source->cancelled)
		return;
	switch (source->kind) {
	case SOURCE_FD:
		source->ready(source->context, events);
		break;
	case SOURCE_TIMER:
		dispatch_timer(source);
		break;
	case SOURCE_CHILD:
		dispatch_child(source);
		break;
	case SOURCE_SIGNAL:
		dispatch_signal(source);
		break;
	}
}

static int wait_ms(int64_t deadline_ms)
{
	int64_t left;

	if (deadline_ms < 0)
		return -1;
	left = deadline_ms - loop_now_ms();
	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

bool loop_step(struct loop *loop, int64_t deadline_ms)
{
	struct epoll_event events[64];
	int count, i;

	assert(!loop->dispatching);
	if (!loop->sources)
		return false;
	count = epoll_wait(loop->epoll_fd, events, ARRAY_SIZE(events), wait_ms(deadline_ms));
	if (count < 0 && errno != EINTR)
		abort();
	loop->dispatching = true;
	for (i = 0; i < count; i++)
		dispatch(events[i].data.ptr, events[i].events);
	loop->dispatching = false;
	bury(loop);
	return true;
}

bool loop_run_until(struct loop *loop, bool (*done)(const void *context), const void *context,
                    int64_t deadline_ms)
{
	while (!done(context)) {
		if (deadline_ms >= 0 && loop_now_ms() >= deadline_ms)
			return false;
		if (!loop_step(loop, deadline_ms))
			return false;
	}
	return true;
}
