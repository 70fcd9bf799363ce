/* SPDX-License-Identifier: Apache-2.0 */
/* libmariadb, loaded when it is first needed: most projects have no MySQL database. */
#ifndef STACKS_MYSQL_API_H
#define STACKS_MYSQL_API_H

#include <mariadb/mysql.h>

#include "core/error.h"

/* clang-format off */
#define MYSQL_API_FUNCTIONS(X) \
	X(mysql_init) X(mysql_close) X(mysql_optionsv) X(mysql_get_socket) \
	X(mysql_get_client_version) X(mysql_errno) X(mysql_error) \
	X(mysql_real_connect_start) X(mysql_real_connect_cont) \
	X(mysql_real_query_start) X(mysql_real_query_cont) \
	X(mysql_stmt_init) X(mysql_stmt_prepare_start) X(mysql_stmt_prepare_cont) \
	X(mysql_stmt_close) X(mysql_stmt_bind_param) X(mysql_stmt_bind_result) \
	X(mysql_stmt_execute_start) X(mysql_stmt_execute_cont) \
	X(mysql_stmt_attr_set) X(mysql_stmt_result_metadata) \
	X(mysql_fetch_field_direct) X(mysql_free_result) X(mysql_stmt_field_count) \
	X(mysql_stmt_store_result_start) \
	X(mysql_stmt_store_result_cont) X(mysql_stmt_fetch) X(mysql_stmt_free_result) \
	X(mysql_stmt_errno) X(mysql_stmt_error)
/* clang-format on */

#define MYSQL_API_MEMBER(function) __typeof__(&function) function;
/* The functions of the library by their own names. */
struct mysql_api {
	MYSQL_API_FUNCTIONS(MYSQL_API_MEMBER)
};
#undef MYSQL_API_MEMBER

/* Loads libmariadb once per process. Borrowed, for ever. */
const struct mysql_api *mysql_api_load(struct error **err);

#endif
