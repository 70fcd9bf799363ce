/* SPDX-License-Identifier: Apache-2.0 */
/* What the API server's refusal of an object means for the user, and what to do about it. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/submission.h"

/* What stands between `before` and the next `end` in `text`; owned by the caller; NULL when it does
 * not occur. */
static char *between(const char *text, const char *before, char end)
{
	const char *start = strstr(text, before);
	const char *stop;

	if (!start)
		return NULL;
	start += strlen(before);
	stop = strchr(start, end);
	return stop ? xstrndup(start, (size_t)(stop - start)) : NULL;
}

/* Each rule reads the whole text of the error: advice, owned by the caller, or NULL when it does
 * not apply. */
struct refusal {
	const char *text;
	enum error_kind kind;
	const char *namespace, *account;
};

static char *advise_namespace(const struct refusal *refusal)
{
	if (!strstr(refusal->text, "namespaces \"") || !strstr(refusal->text, "not found"))
		return NULL;
	return text_printf(
		"the namespace '%s' does not exist; create it with 'stepop rbac apply', or "
		"choose another one (--namespace)",
		refusal->namespace);
}

static char *advise_terminating(const struct refusal *refusal)
{
	if (!strstr(refusal->text, "because it is being terminated"))
		return NULL;
	return text_printf(
		"the namespace '%s' is being deleted; wait until it is gone and create it "
		"again with 'stepop rbac apply'",
		refusal->namespace);
}

static char *advise_account(const struct refusal *refusal)
{
	scoped(text) char *name = NULL;

	if (!strstr(refusal->text, "error looking up service account"))
		return NULL;
	name = between(refusal->text, "serviceaccount \"", '"');
	return text_printf(
		"the service account '%s' does not exist in namespace '%s'; create it with "
		"'stepop rbac apply', or choose another one (a step operator's service_account, "
		"spark.kubernetes.authenticate.driver.serviceAccountName)",
		name               ? name
		: refusal->account ? refusal->account
				   : "default",
		refusal->namespace);
}

static char *advise_quota(const struct refusal *refusal)
{
	scoped(text) char *quota = between(refusal->text, "exceeded quota: ", ',');

	if (!quota)
		return NULL;
	return text_printf(
		"the quota '%s' of namespace '%s' has no room for this pod; ask for less "
		"(spark.driver.memory, spark.kubernetes.driver.request.cores), wait for "
		"other pods to end, or have the quota raised",
		quota, refusal->namespace);
}

static char *advise_quota_fields(const struct refusal *refusal)
{
	scoped(text) char *quota = between(refusal->text, "failed quota: ", ':');

	if (!quota)
		return NULL;
	return text_printf("the quota '%s' of namespace '%s' wants limits to be set; set "
	                   "spark.kubernetes.driver.limit.cores and "
	                   "spark.kubernetes.executor.limit.cores",
	                   quota, refusal->namespace);
}

static char *advise_pod_security(const struct refusal *refusal)
{
	scoped(text) char *level = between(refusal->text, "violates PodSecurity \"", '"');

	if (!level)
		return NULL;
	return text_printf("the namespace '%s' enforces Pod Security '%s', which this pod does not "
	                   "satisfy; have stepop make pods that do, with 'stepop submit "
	                   "--pod-security=restricted' or the step operator's "
	                   "pod_security=restricted",
	                   refusal->namespace, level);
}

static char *advise_webhook(const struct refusal *refusal)
{
	scoped(text) char *webhook = between(refusal->text, "admission webhook \"", '"');

	if (!webhook)
		return NULL;
	return text_printf(
		"a policy of the cluster (webhook '%s') refused the object; its own words "
		"above say why",
		webhook);
}

static char *advise_limit_range(const struct refusal *refusal)
{
	if (!strstr(refusal->text, " usage per Pod is ") &&
	    !strstr(refusal->text, " usage per Container is "))
		return NULL;
	return text_printf("the namespace '%s' has a LimitRange; change spark.driver.memory, "
	                   "spark.driver.cores or spark.kubernetes.driver.limit.cores to fit it",
	                   refusal->namespace);
}

/* The part of rbac/ that grants rights to `resource`, as an option; "" where all have it. */
static const char *option_of(const char *resource)
{
	static const struct {
		const char *resource, *option;
	} options[] = {
		{ "persistentvolumeclaims", " --with volumes" },
		{ "networkpolicies", " --with network-policies" },
		{ "podgroups", " --with pod-groups" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (text_equal(options[i].resource, resource))
			return options[i].option;
	return "";
}

static char *advise_forbidden(const struct refusal *refusal)
{
	scoped(text) char *user = between(refusal->text, "User \"", '"');
	scoped(text) char *verb = between(refusal->text, "cannot ", ' ');
	scoped(text) char *resource = between(refusal->text, "resource \"", '"');

	if (!user || !verb || !resource)
		return NULL;
	return text_printf(
		"'%s' may not %s %s in namespace '%s'; someone who may can allow it with "
		"'stepop rbac apply --submitter %s%s'",
		user, verb, resource, refusal->namespace, user, option_of(resource));
}

static char *advise_unauthorized(const struct refusal *refusal)
{
	if (refusal->kind != ERROR_AUTH || !strstr(refusal->text, "nauthorized"))
		return NULL;
	return xstrdup(
		"the API server does not accept these credentials; log in again, or check the "
		"user of the kubeconfig's context");
}

static char *advise_size(const struct refusal *refusal)
{
	if (!strstr(refusal->text, "Too long: must have at most") &&
	    !strstr(refusal->text, "request is too large") &&
	    !strstr(refusal->text, "entity too large"))
		return NULL;
	return xstrdup("files and properties are too large for a ConfigMap; build what is "
	               "large into the image");
}

static char *advise_image(const struct refusal *refusal)
{
	if (!strstr(refusal->text, "].image:"))
		return NULL;
	return xstrdup("the image's name is not valid; check spark.kubernetes.container.image "
	               "(docker_parent_image of the step operator)");
}

static char *advise_quantity(const struct refusal *refusal)
{
	if (!strstr(refusal->text, ".resources."))
		return NULL;
	return xstrdup(
		"the pod's resources do not fit together; check spark.driver.cores, "
		"spark.kubernetes.driver.request.cores and spark.kubernetes.driver.limit.cores "
		"(a request must not exceed its limit)");
}

char *submission_advice(const struct error *error, const char *namespace,
                        const char *service_account)
{
	static char *(*const rules[])(const struct refusal *refusal) = {
		advise_account,      advise_namespace,    advise_terminating, advise_quota,
		advise_quota_fields, advise_pod_security, advise_webhook,     advise_limit_range,
		advise_forbidden,    advise_unauthorized, advise_size,        advise_image,
		advise_quantity,
	};
	scoped(text) char *text = error_text(error);
	const struct refusal refusal = { .text = text,
		                         .kind = error->kind,
		                         .namespace = namespace ? namespace : "default",
		                         .account = service_account };
	char *advice = NULL;
	size_t i;

	for (i = 0; !advice && i < ARRAY_SIZE(rules); i++)
		advice = rules[i](&refusal);
	return advice;
}
