/* SPDX-License-Identifier: Apache-2.0 */
/* Where S3 is, who we are to it, and how objects are to be kept. */
#include "cloud/s3_client.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/aws_service.h"
#include "core/memory.h"
#include "core/text.h"

#define DEFAULT_REGION "us-east-1"
#define DEFAULT_PART_BYTES ((size_t)16 << 20)
#define BACKOFF_MS 200

void s3_client_free(struct s3_client *client)
{
	if (!client)
		return;
	aws_chain_free(client->own_chain);
	free(client->endpoint_url);
	free(client->scheme);
	free(client->host);
	free(client->region);
	free(client->ca_pem);
	free(client->encryption);
	free(client->kms_key_id);
	free(client->storage_class);
	free(client);
}

const char *s3_client_region(const struct s3_client *client)
{
	return client->region;
}

const char *s3_client_endpoint(const struct s3_client *client)
{
	return client->endpoint_url;
}

const struct http_tls *s3_client_tls(const struct s3_client *client)
{
	if (client->ca_pem || !client->chain)
		return &client->tls;
	return aws_chain_tls(client->chain);
}

/* "http://host:9000/" -> "http", "host:9000" */
static bool set_endpoint(struct s3_client *client, const char *url, struct error **err)
{
	const char *host = strstr(url, "://");
	size_t size;

	if (!host || (!text_starts_with(url, "http://") && !text_starts_with(url, "https://")))
		return error_set(err, ERROR_INVALID,
		                 "endpoint '%s' is no URL: it should look like "
		                 "http://minio.example:9000",
		                 url);
	client->scheme = xstrndup(url, (size_t)(host - url));
	host += 3;
	size = strlen(host);
	while (size > 0 && host[size - 1] == '/')
		size--;
	if (size == 0 || strcspn(host, "?#@ ") < size)
		return error_set(err, ERROR_INVALID,
		                 "endpoint '%s' should be just scheme, host and port, such as "
		                 "http://minio.example:9000",
		                 strchr(url, '@') ? "…" : url);
	client->host = xstrndup(host, size);
	client->endpoint_url = text_printf("%s://%s", client->scheme, client->host);
	return true;
}

static bool region_is_good(const char *region)
{
	return *region && strlen(region) <= 64 &&
	       region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static void set_aws_host(struct s3_client *client)
{
	free(client->host);
	client->host = text_printf("s3.%s.%s", client->region, aws_dns_suffix(client->region));
}

static bool set_place(struct s3_client *client, const struct s3_options *options,
                      struct error **err)
{
	struct aws_chain *chain = client->chain;
	const char *region = options->region;
	const char *endpoint = options->endpoint_url;

	if (!region && chain)
		region = aws_chain_region(chain);
	client->region = xstrdup(region ? region : DEFAULT_REGION);
	if (!region_is_good(client->region))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no region: it should look like eu-central-1",
		                 client->region);
	if (!endpoint && chain)
		endpoint = aws_chain_endpoint(chain, "s3");
	client->is_virtual_host_style = endpoint ? options->virtual_host_style : true;
	if (endpoint)
		return set_endpoint(client, endpoint, err);
	client->is_aws = true;
	client->scheme = xstrdup("https");
	set_aws_host(client);
	return true;
}

bool s3_client_move(struct s3_client *client, const char *region, bool may_rehost)
{
	if (!region || text_equal(region, client->region) || !region_is_good(region) ||
	    (may_rehost && !client->is_aws))
		return false;
	free(client->region);
	client->region = xstrdup(region);
	if (client->is_aws)
		set_aws_host(client);
	return true;
}

static bool set_credentials(struct s3_client *client, const struct s3_options *options,
                            struct error **err)
{
	const struct aws_chain_options keys = { .access_key_id = options->access_key_id,
		                                .secret_access_key = options->secret_access_key,
		                                .session_token = options->session_token };

	client->chain = options->chain;
	if (client->chain || (!keys.access_key_id && !keys.secret_access_key))
		return true;
	client->chain = client->own_chain = aws_chain_new(client->http, &keys, err);
	return client->chain != NULL;
}

/* They become header lines. */
static bool is_word(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static bool set_keeping(struct s3_client *client, const struct s3_options *options,
                        struct error **err)
{
	const char *encryption = options->encryption;

	if (encryption && !text_equal(encryption, "AES256") && !text_equal(encryption, "aws:kms") &&
	    !text_equal(encryption, "aws:kms:dsse"))
		return error_set(err, ERROR_INVALID,
		                 "objects cannot be encrypted by '%s': there are AES256, aws:kms "
		                 "and aws:kms:dsse",
		                 encryption);
	if (options->kms_key_id && (!encryption || text_equal(encryption, "AES256")))
		return error_set(err, ERROR_INVALID,
		                 "a KMS key is given, but the encryption is not aws:kms");
	if ((options->kms_key_id && !is_word(options->kms_key_id)) ||
	    (options->storage_class && !is_word(options->storage_class)))
		return error_set(err, ERROR_INVALID,
		                 "the KMS key or the storage class has a blank, a line break or "
		                 "another character that cannot be part of it");
	client->encryption = text_copy(encryption);
	client->kms_key_id = text_copy(options->kms_key_id);
	client->has_bucket_key = options->bucket_key;
	client->storage_class = text_copy(options->storage_class);
	client->part_bytes = options->part_bytes ? options->part_bytes : DEFAULT_PART_BYTES;
	client->backoff_ms = options->backoff_ms ? options->backoff_ms : BACKOFF_MS;
	return true;
}

struct s3_client *s3_client_new(struct http_client *http, const struct s3_options *options,
                                struct error **err)
{
	scoped(s3_client) struct s3_client *client = xcalloc(1, sizeof(*client));

	client->http = http;
	client->ca_pem = text_copy(options->ca_pem);
	client->tls.ca_pem = client->ca_pem;
	if (!set_credentials(client, options, err) || !set_place(client, options, err) ||
	    !set_keeping(client, options, err))
		return NULL;
	return take(client);
}
