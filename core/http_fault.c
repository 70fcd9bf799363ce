/* SPDX-License-Identifier: Apache-2.0 */
/* Why a transfer failed. */
#include "core/http_fault.h"

#include <errno.h>
#include <string.h>

#include <openssl/x509_vfy.h>

#include "core/clock.h"
#include "core/text.h"

static void *untrusted(struct error **err, const struct curl_api *curl, CURL *easy,
                       const struct http_setup *setup, const char *detail)
{
	long verdict = X509_V_OK;

	curl->easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
	switch (verdict) {
	/* The chain is fine, or was not even looked at: then it is the name. */
	case X509_V_OK:
	case X509_V_ERR_UNSPECIFIED:
		return error_set(err, ERROR_AUTH,
		                 "the certificate of %s is not made for the name '%s' (%s)",
		                 setup->origin, setup->host, detail);
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return error_set(err, ERROR_AUTH,
		                 "the certificate of %s, or its authority's, has expired; have it "
		                 "renewed, and see whether this machine's clock is right",
		                 setup->origin);
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return error_set(err, ERROR_AUTH,
		                 "the certificate of %s is not valid yet; see whether this "
		                 "machine's clock is right",
		                 setup->origin);
	default:
		return error_set(err, ERROR_AUTH,
		                 "the certificate of %s is not trusted (%s); name the certificate "
		                 "authority that signed it",
		                 setup->origin, X509_verify_cert_error_string(verdict));
	}
}

static const char *refusal(long number)
{
	switch (number) {
	case ECONNREFUSED:
		return "connection refused";
	case ENETUNREACH:
		return "network unreachable";
	case EHOSTUNREACH:
		return "no route to host";
	case ENOENT:
		return "no such socket";
	default:
		return NULL;
	}
}

static void *unconnected(struct error **err, const struct curl_api *curl, CURL *easy,
                         const struct http_setup *setup, const char *detail)
{
	long number = 0;
	const char *reason;

	curl->easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
	reason = refusal(number);
	return error_set(err, ERROR_UNAVAILABLE, "cannot connect to %s: %s", setup->origin,
	                 reason ? reason : detail);
}

static void *too_late(struct error **err, const struct curl_api *curl, CURL *easy,
                      const struct http_setup *setup, const struct http_failure *failure)
{
	curl_off_t ready_us = 0;
	int64_t limit_ms = failure->timeout_ms;
	scoped(text) char *limit = NULL;

	curl->easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
	if (!ready_us && (!limit_ms || failure->connect_timeout_ms < limit_ms))
		limit_ms = failure->connect_timeout_ms;
	limit = clock_format_duration(limit_ms);
	return error_set(err, ERROR_TIMEOUT,
	                 ready_us ? "no answer from %s within %s" : "no connection to %s within %s",
	                 setup->origin, limit);
}

/* OpenSSL's words are the only trace of what the other side refused. */
static void *tls_failed(struct error **err, const struct http_setup *setup, const char *detail)
{
	if (strstr(detail, "wrong version number") || strstr(detail, "unknown protocol") ||
	    strstr(detail, "packet length too long") || strstr(detail, "http request"))
		return error_set(err, ERROR_INVALID,
		                 "%s does not speak TLS; is it meant to be http://?",
		                 setup->origin);
	if (strstr(detail, "certificate required") || strstr(detail, "bad certificate") ||
	    strstr(detail, "unknown ca") || strstr(detail, "certificate expired") ||
	    strstr(detail, "certificate unknown"))
		return error_set(err, ERROR_AUTH,
		                 "%s does not accept our client certificate, or asks for one (%s)",
		                 setup->origin, detail);
	return NULL;
}

static void *cut(struct error **err, const struct http_setup *setup, const char *detail)
{
	struct error *tls = NULL;

	tls_failed(&tls, setup, detail);
	if (tls)
		return error_pass(err, tls);
	return error_set(err, ERROR_UNAVAILABLE, "%s broke off the connection: %s", setup->origin,
	                 detail);
}

static void *handshake_failed(struct error **err, const struct http_setup *setup,
                              const char *detail)
{
	struct error *known = NULL;

	tls_failed(&known, setup, detail);
	if (known)
		return error_pass(err, known);
	return error_set(err, ERROR_UNAVAILABLE, "no TLS connection to %s: %s", setup->origin,
	                 detail);
}

void *http_fault_set(struct error **err, const struct curl_api *curl, CURL *easy,
                     const struct http_setup *setup, const struct http_failure *failure)
{
	const char *detail =
		*failure->detail ? failure->detail : curl->easy_strerror(failure->code);

	switch (failure->code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return untrusted(err, curl, easy, setup, detail);
	case CURLE_COULDNT_RESOLVE_HOST:
		return error_set(err, ERROR_UNAVAILABLE,
		                 "cannot reach %s: the name '%s' is not known (DNS)", setup->origin,
		                 setup->host);
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY:
		return error_set(err, ERROR_UNAVAILABLE, "cannot reach %s through the proxy: %s",
		                 setup->origin, detail);
	case CURLE_COULDNT_CONNECT:
		return unconnected(err, curl, easy, setup, detail);
	case CURLE_OPERATION_TIMEDOUT:
		return too_late(err, curl, easy, setup, failure);
	case CURLE_SSL_CONNECT_ERROR:
		return handshake_failed(err, setup, detail);
	case CURLE_SSL_CERTPROBLEM:
		return error_set(err, ERROR_INVALID,
		                 "the client certificate for %s, or its key, cannot be used: %s",
		                 setup->origin, detail);
	case CURLE_SSL_CACERT_BADFILE:
		return error_set(err, ERROR_INVALID,
		                 "the certificate authority given for %s cannot be read: %s",
		                 setup->origin, detail);
	case CURLE_UNSUPPORTED_PROTOCOL: /* the scheme was checked: this is "HTTP/0.9" */
	case CURLE_WEIRD_SERVER_REPLY:
		return error_set(err, ERROR_UNAVAILABLE, "what %s answers is not HTTP (%s)",
		                 setup->origin, detail);
	case CURLE_ABORTED_BY_CALLBACK:
	case CURLE_READ_ERROR:
		return error_set(err, ERROR_INTERNAL, "cannot read what is to be sent to %s",
		                 setup->origin);
	default:
		return cut(err, setup, detail);
	}
}
