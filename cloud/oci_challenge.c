/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate: several challenges, in one header line or in several. */
#include "cloud/oci_challenge.h"

#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "core/text.h"

#define HEADER "WWW-Authenticate:"
/* RFC 9110, 5.6.2. */
#define TOKEN "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

void oci_challenge_release(struct oci_challenge *challenge)
{
	free(challenge->realm);
	free(challenge->service);
	free(challenge->scope);
	free(challenge->error);
	*challenge = (struct oci_challenge){ 0 };
}

/* "…" with its quotes, up to the last one or the end of the text; moves *at behind it. */
static char *take_quoted(const char **at)
{
	char *value = xcalloc(strlen(*at) + 1, 1);
	size_t size = 0;

	for (++*at; **at && **at != '"'; ++*at) {
		if (**at == '\\' && (*at)[1])
			++*at;
		value[size++] = **at;
	}
	*at += **at == '"';
	return value;
}

static char *take_bytes(const char **at, size_t size)
{
	char *taken = xstrndup(*at, size);

	*at += size;
	return taken;
}

static void keep_parameter(struct oci_challenge *challenge, const char *name, char *value)
{
	const struct {
		const char *name;
		char **slot;
	} known[] = {
		{ "realm", &challenge->realm },
		{ "service", &challenge->service },
		{ "scope", &challenge->scope },
		{ "error", &challenge->error },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcasecmp(name, known[i].name) && !*known[i].slot) {
			*known[i].slot = value;
			return;
		}
	free(value);
}

static enum oci_scheme scheme_named(const char *name)
{
	return !strcasecmp(name, "Bearer")  ? OCI_BEARER
	       : !strcasecmp(name, "Basic") ? OCI_BASIC
	                                    : OCI_NO_SCHEME;
}

/* A bearer token cannot be asked for without a place to ask. */
static bool is_better(const struct oci_challenge *one, const struct oci_challenge *other)
{
	return one->scheme > other->scheme && (one->scheme != OCI_BEARER || one->realm);
}

static void keep_better(struct oci_challenge *best, struct oci_challenge *one)
{
	if (is_better(one, best)) {
		oci_challenge_release(best);
		*best = *one;
		*one = (struct oci_challenge){ 0 };
	}
	oci_challenge_release(one);
}

/* What follows the word `name`: its value when it is a parameter, otherwise it is a scheme, maybe
 * with a blob that we do not read ("Negotiate YII…=="). */
static void read_word(const char **at, const char *name, struct oci_challenge *current,
                      struct oci_challenge *best)
{
	*at += strspn(*at, " \t");
	if (**at == '=') {
		*at += 1;
		*at += strspn(*at, " \t");
		/* Some leave the quotes out where the grammar asks for them. */
		keep_parameter(current, name,
		               **at == '"' ? take_quoted(at)
		                           : take_bytes(at, strcspn(*at, " \t,")));
		return;
	}
	keep_better(best, current);
	current->scheme = scheme_named(name);
}

static void read_challenges(const char *text, struct oci_challenge *best)
{
	struct oci_challenge current = { 0 };

	for (;;) {
		scoped(text) char *name = NULL;

		text += strspn(text, " \t,");
		if (!*text)
			break;
		name = take_bytes(&text, strspn(text, TOKEN));
		if (*name)
			read_word(&text, name, &current, best);
		else
			text++; /* what stands in no grammar */
	}
	keep_better(best, &current);
}

bool oci_challenge_find(const char *head, struct oci_challenge *challenge)
{
	struct oci_challenge best = { 0 };

	while (head && *head) {
		size_t size = strcspn(head, "\r\n");

		if (size > strlen(HEADER) && !strncasecmp(head, HEADER, strlen(HEADER))) {
			scoped(text) char *value =
				xstrndup(head + strlen(HEADER), size - strlen(HEADER));

			read_challenges(value, &best);
		}
		head += size;
		head += strspn(head, "\r\n");
	}
	*challenge = best;
	return best.scheme != OCI_NO_SCHEME;
}
