/* SPDX-License-Identifier: Apache-2.0 */
/* libpq, loaded when a database is opened that needs it: others do not pay for it. */
#ifndef STACKS_POSTGRES_API_H
#define STACKS_POSTGRES_API_H

#include <postgresql/libpq-fe.h>

#include "core/error.h"

/* clang-format off */
#define POSTGRES_FUNCTIONS(X) \
	X(connectStartParams) X(connectPoll) X(finish) X(status) X(socket) X(errorMessage) \
	X(setErrorVerbosity) X(setNoticeProcessor) X(setnonblocking) X(transactionStatus) \
	X(enterPipelineMode) X(pipelineSync) X(sendQueryParams) X(flush) X(consumeInput) \
	X(isBusy) X(getResult) X(clear) X(resultStatus) X(resultErrorField) X(ntuples) \
	X(nfields) X(getisnull) X(getvalue) X(conninfoParse) X(conninfoFree) X(freemem)
/* clang-format on */

#define POSTGRES_MEMBER(name) __typeof__(&PQ##name) name;
/* pq->getResult() is PQgetResult(), and so on. */
struct postgres_api {
	POSTGRES_FUNCTIONS(POSTGRES_MEMBER)
};
#undef POSTGRES_MEMBER

/* Borrowed, for ever. */
const struct postgres_api *postgres_api_load(struct error **err);

#endif
