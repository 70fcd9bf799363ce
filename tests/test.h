/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka with the headers that it needs before it, in the order that it needs them. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Fails, showing the error, unless `call` is true; `err` is a `struct error *` of the test. */
#define assert_ok(call, err)                                                                     \
	do {                                                                                     \
		if (!(call)) {                                                                   \
			char *text_ = (err) ? error_text(err) : NULL;                            \
			print_error("%s failed: %s\n", #call, text_ ? text_ : "(no error set)"); \
			free(text_);                                                             \
			fail();                                                                  \
		}                                                                                \
	} while (0)

/* The whole chain of `err` must contain `part`. */
#define assert_error_contains(err, part)                                                       \
	do {                                                                                   \
		char *text_ = (err) ? error_text(err) : NULL;                                  \
		if (!text_ || !strstr(text_, (part))) {                                        \
			print_error("error is '%s', without '%s'\n", text_ ? text_ : "(none)", \
			            (part));                                                   \
			free(text_);                                                           \
			fail();                                                                \
		}                                                                              \
		free(text_);                                                                   \
	} while (0)

#endif
