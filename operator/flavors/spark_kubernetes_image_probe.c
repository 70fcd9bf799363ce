/* SPDX-License-Identifier: Apache-2.0 */
/* Asks an image's registry for its manifest. */
#include "cloud/oci_reference.h"
#include "cloud/oci_registry.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/spark_kubernetes_probe.h"

static bool ask(struct oci_registry *registry, const struct oci_reference *reference, char **digest,
                struct error **err)
{
	const struct oci_place place = { registry, reference->repository };
	struct oci_manifest manifest = { 0 };

	if (!oci_manifest_head(&place, oci_reference_target(reference), &manifest, err))
		return false;
	*digest = text_copy(manifest.digest);
	oci_manifest_release(&manifest);
	return true;
}

/* The stack's own registry knows who we are there. */
static bool find_manifest(const struct oci_reference *reference, const struct component *component,
                          const struct operator_context *context, char **digest, struct error **err)
{
	scoped(text) char *who = text_printf("step operator '%s'", component->name);
	const struct oci_registry_options options = { .host = reference->registry,
		                                      .component = who };
	scoped(oci_registry) struct oci_registry *registry = NULL;

	if (context->registry && text_equal(context->registry->host, reference->registry))
		return ask(context->registry->client, reference, digest, err);
	registry = oci_registry_new(context->http, &options, err);
	return registry && ask(registry, reference, digest, err);
}

/* Nodes may know more than this machine: they have pull secrets, mirrors, networks of their own. */
static void tell(const struct component *component, const char *image, const char *digest,
                 const struct error *error, struct probe_report *report)
{
	scoped(text) char *why = error ? error_text(error) : NULL;

	if (digest)
		probe_ok(report, "image", "%s is %s", image, digest);
	else if (error->kind == ERROR_NOT_FOUND || error->kind == ERROR_INVALID)
		probe_fault(report, "image", "push it, or name another as docker_parent_image",
		            error);
	else if (error->kind == ERROR_AUTH && component_text(component, "image_pull_secrets", NULL))
		probe_warning(report, "image", NULL,
		              "pods have pull secrets, this machine has none: not looked at (%s)",
		              why);
	else
		probe_warning(
			report, "image",
			"see that the nodes can pull it: image_pull_secrets, or rights of theirs",
			"whether it is there cannot be seen from this machine: %s", why);
}

void spark_kubernetes_probe_image(const struct component *component,
                                  const struct operator_context *context,
                                  struct probe_report *report)
{
	const char *image = component_text(component, "docker_parent_image", "");
	struct oci_reference reference = { 0 };
	scoped(error) struct error *err = NULL;
	scoped(text) char *digest = NULL;

	if (oci_reference_parse(image, &reference, &err))
		find_manifest(&reference, component, context, &digest, &err);
	tell(component, image, digest, err, report);
	oci_reference_release(&reference);
}
