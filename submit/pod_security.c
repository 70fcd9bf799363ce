/* SPDX-License-Identifier: Apache-2.0 */
/* The Pod Security Standard "restricted", control by control. */
#include "submit/pod_security.h"

#include <stdarg.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

static const char *const names[] = {
	[POD_SECURITY_NONE] = "none",
	[POD_SECURITY_RESTRICTED] = "restricted",
};

bool pod_security_parse(const char *name, enum pod_security *security, struct error **err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (text_equal(names[i], name)) {
			*security = (enum pod_security)i;
			return true;
		}
	return error_set(err, ERROR_USAGE,
	                 "'%s' is no level of pod security: it is none or restricted", name);
}

bool pod_security_check(const char *name, struct error **err)
{
	enum pod_security security;

	return pod_security_parse(name, &security, err);
}

/* Where a pod contradicts the standard: sentences of "spec.hostNetwork: …". */
static void add_fault(json_t *faults, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add_fault(json_t *faults, const char *fmt, ...)
{
	scoped(text) char *text = NULL;
	va_list arguments;

	va_start(arguments, fmt);
	text = text_vprintf(fmt, arguments);
	va_end(arguments);
	json_array_append_new(faults, json_string(text));
}

static json_t *part_of(json_t *object, const char *key)
{
	json_t *part = json_object_get(object, key);

	if (json_is_object(part))
		return part;
	json_object_set_new(object, key, json_object());
	return json_object_get(object, key);
}

static const char *name_of(const json_t *named)
{
	const char *name = json_string_value(json_object_get(named, "name"));

	return name ? name : "(no name)";
}

bool pod_security_allows_volume(const char *type)
{
	static const char *const allowed[] = { "configMap", "csi",       "downwardAPI",
		                               "emptyDir",  "ephemeral", "persistentVolumeClaim",
		                               "projected", "secret" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(allowed); i++)
		if (text_equal(allowed[i], type))
			return true;
	return false;
}

static void check_volumes(const json_t *spec, json_t *faults)
{
	const json_t *volume;
	const char *type;
	json_t *source;
	size_t i;

	json_array_foreach (json_object_get(spec, "volumes"), i, volume)
		json_object_foreach ((json_t *)volume, type, source)
			if (strcmp(type, "name") && !pod_security_allows_volume(type))
				add_fault(faults, "the volume '%s' is a %s", name_of(volume), type);
}

static bool has_claim(const json_t *spec)
{
	const json_t *volume;
	size_t i;

	json_array_foreach (json_object_get(spec, "volumes"), i, volume)
		if (json_object_get(volume, "persistentVolumeClaim") ||
		    json_object_get(volume, "ephemeral"))
			return true;
	return false;
}

static void check_host(const json_t *spec, json_t *faults)
{
	static const char *const fields[] = { "hostNetwork", "hostPID", "hostIPC" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (json_is_true(json_object_get(spec, fields[i])))
			add_fault(faults, "%s is true", fields[i]);
}

/* What pod and container have in common; `where` is "" or "container 'x': ". */
static void check_identity(const json_t *context, const char *where, json_t *faults)
{
	const json_t *user = json_object_get(context, "runAsUser");
	const json_t *profile = json_object_get(context, "seccompProfile");
	const char *type = json_string_value(json_object_get(profile, "type"));

	if (json_is_false(json_object_get(context, "runAsNonRoot")))
		add_fault(faults, "%srunAsNonRoot is false", where);
	if (json_is_integer(user) && !json_integer_value(user))
		add_fault(faults, "%srunAsUser is 0, which is root", where);
	if (type && strcmp(type, "RuntimeDefault") && strcmp(type, "Localhost"))
		add_fault(faults, "%sseccompProfile is %s", where, type);
}

static void check_capabilities(const json_t *capabilities, const char *where, json_t *faults)
{
	const json_t *added;
	size_t i;

	json_array_foreach (json_object_get(capabilities, "add"), i, added) {
		const char *name = json_string_value(added);

		if (!text_equal(name, "NET_BIND_SERVICE"))
			add_fault(faults, "%sthe capability %s is added", where,
			          name ? name : "(not a text)");
	}
}

static void check_ports(const json_t *container, const char *where, json_t *faults)
{
	const json_t *port;
	size_t i;

	json_array_foreach (json_object_get(container, "ports"), i, port)
		if (json_integer_value(json_object_get(port, "hostPort")))
			add_fault(faults, "%sa hostPort is set", where);
}

static void restrict_container(json_t *container, json_t *faults)
{
	scoped(text) char *where = text_printf("container '%s': ", name_of(container));
	json_t *context = part_of(container, "securityContext");
	json_t *capabilities = part_of(context, "capabilities");

	check_identity(context, where, faults);
	check_capabilities(capabilities, where, faults);
	check_ports(container, where, faults);
	if (json_is_true(json_object_get(context, "privileged")))
		add_fault(faults, "%sprivileged is true", where);
	if (json_is_true(json_object_get(context, "allowPrivilegeEscalation")))
		add_fault(faults, "%sallowPrivilegeEscalation is true", where);
	json_object_set_new(context, "allowPrivilegeEscalation", json_false());
	json_object_set_new(capabilities, "drop", json_pack("[s]", "ALL"));
}

static void restrict_containers(const json_t *spec, json_t *faults)
{
	static const char *const lists[] = { "initContainers", "containers" };
	json_t *container;
	size_t i, k;

	for (k = 0; k < ARRAY_SIZE(lists); k++)
		json_array_foreach (json_object_get(spec, lists[k]), i, container)
			restrict_container(container, faults);
}

static void set_user(json_t *context, json_t *container, bool has_claims)
{
	json_t *own = part_of(container, "securityContext");
	json_t *user = json_object_get(own, "runAsUser");

	if (!user)
		user = json_object_get(context, "runAsUser");
	if (!user) {
		json_object_set_new(own, "runAsUser", json_integer(POD_SECURITY_SPARK_USER));
		user = json_object_get(own, "runAsUser");
	}
	if (!has_claims || json_object_get(context, "fsGroup"))
		return;
	json_object_set(context, "fsGroup", user);
	if (!json_object_get(context, "fsGroupChangePolicy"))
		json_object_set_new(context, "fsGroupChangePolicy", json_string("OnRootMismatch"));
}

static bool judge(const json_t *faults, struct error **err)
{
	struct text_stream stream;
	scoped(text) char *text = NULL;
	const json_t *fault;
	size_t i;
	FILE *out;

	if (!json_array_size(faults))
		return true;
	out = text_stream_open(&stream);
	json_array_foreach (faults, i, fault)
		fprintf(out, "%s%s", i ? "; " : "", json_string_value(fault));
	text = text_stream_take(&stream);
	return error_set(err, ERROR_INVALID, "pod security 'restricted' does not allow this: %s",
	                 text);
}

bool pod_security_restrict(json_t *pod, json_t *container, bool has_claims, struct error **err)
{
	json_t *spec = part_of(pod, "spec");
	json_t *context = part_of(spec, "securityContext");
	json_auto_t *faults = json_array();

	check_host(spec, faults);
	check_volumes(spec, faults);
	check_identity(context, "", faults);
	restrict_containers(spec, faults);
	if (!judge(faults, err))
		return false;
	json_object_set_new(context, "runAsNonRoot", json_true());
	if (!json_object_get(context, "seccompProfile"))
		json_object_set_new(context, "seccompProfile",
		                    json_pack("{s:s}", "type", "RuntimeDefault"));
	set_user(context, container, has_claims || has_claim(spec));
	return true;
}
