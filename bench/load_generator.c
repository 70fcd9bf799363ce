/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare load generator: sends the requests of many Spark submissions to an API server, N of them
 * in flight, and nothing else. What it reaches is the limit of that server for any client.
 * usage: load_generator --server URL --cacert F --cert F --key F [--in-flight N] LIST.json
 * LIST.json is what `stepop submit --dry-run=client -o json` prints: each Pod ends an application.
 */
#include <curl/curl.h>
#include <getopt.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/error.h"
#include "core/memory.h"
#include "core/text.h"

struct options {
	const char *server, *cacert, *cert, *key, *list;
	int in_flight;
};

struct object {
	char *collection; /* URL that it is POSTed to */
	char *name;
	char *body;
};

/* Objects in the order of their creation, the Pod at the end. */
struct application {
	const struct object *objects;
	size_t count;
};

struct bench {
	struct options options;
	struct object *objects;
	struct application *applications;
	double *latencies_ms;
	size_t count, begun, done;
	CURLM *multi;
	struct curl_slist *json, *merge_patch; /* headers */
};

/* One submission at a time: its POSTs, then a PATCH for each object that the Pod shall own. */
struct worker {
	struct bench *bench;
	CURL *curl;
	const struct application *application;
	size_t step;
	double began_ms;
	char *owner; /* the patch's body, known once the Pod is created */
	struct text_stream answer;
};

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double cpu_ms(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

__attribute__((__format__(__printf__, 2, 3))) static void require(bool done, const char *format,
                                                                  ...)
{
	va_list args;

	if (done)
		return;
	fputs("load_generator: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static char *collection_url(const char *server, const char *namespace, const char *kind)
{
	static const struct {
		const char *kind, *group, *resource;
	} kinds[] = {
		{ "ConfigMap", "api/v1", "configmaps" },
		{ "NetworkPolicy", "apis/networking.k8s.io/v1", "networkpolicies" },
		{ "PersistentVolumeClaim", "api/v1", "persistentvolumeclaims" },
		{ "Pod", "api/v1", "pods" },
		{ "Secret", "api/v1", "secrets" },
		{ "Service", "api/v1", "services" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (text_equal(kinds[i].kind, kind))
			return text_printf("%s/%s/namespaces/%s/%s", server, kinds[i].group,
			                   namespace, kinds[i].resource);
	require(false, "objects of kind '%s' are not known here", kind);
	return NULL;
}

static bool read_object(const char *server, json_t *item, struct object *object)
{
	const char *kind, *name, *namespace;

	require(!json_unpack(item, "{s:s, s:{s:s, s:s}}", "kind", &kind, "metadata", "name", &name,
	                     "namespace", &namespace),
	        "an object has no kind, name or namespace");
	object->collection = collection_url(server, namespace, kind);
	object->name = xstrdup(name);
	object->body = json_dumps(item, JSON_COMPACT);
	return text_equal(kind, "Pod");
}

static void read_applications(struct bench *bench)
{
	json_error_t fault;
	json_auto_t *list = json_load_file(bench->options.list, 0, &fault);
	const json_t *items = json_object_get(list, "items");
	size_t i, first = 0, count = json_array_size(items);

	require(count > 0, "%s holds no list of objects", bench->options.list);
	bench->objects = xcalloc(count, sizeof(*bench->objects));
	bench->applications = xcalloc(count, sizeof(*bench->applications));
	for (i = 0; i < count; i++) {
		if (!read_object(bench->options.server, json_array_get(items, i),
		                 &bench->objects[i]))
			continue;
		bench->applications[bench->count++] = (struct application){
			.objects = &bench->objects[first],
			.count = i + 1 - first,
		};
		first = i + 1;
	}
	require(first == count, "%s does not end with a Pod", bench->options.list);
	bench->latencies_ms = xcalloc(bench->count, sizeof(*bench->latencies_ms));
}

static size_t keep_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct worker *worker = context;

	return fwrite(bytes, size, count, worker->answer.file);
}

static void send_request(struct worker *worker, const char *method, const char *url,
                         const char *body)
{
	struct bench *bench = worker->bench;

	text_stream_open(&worker->answer);
	curl_easy_setopt(worker->curl, CURLOPT_URL, url);
	curl_easy_setopt(worker->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(worker->curl, CURLOPT_HTTPHEADER,
	                 text_equal(method, "PATCH") ? bench->merge_patch : bench->json);
	curl_easy_setopt(worker->curl, CURLOPT_POSTFIELDS, body);
	if (!body)
		curl_easy_setopt(worker->curl, CURLOPT_HTTPGET, 1L);
	curl_multi_add_handle(bench->multi, worker->curl);
}

static void send_step(struct worker *worker)
{
	const struct application *application = worker->application;
	bool patches = worker->step >= application->count;
	const struct object *object = &application->objects[worker->step % application->count];
	scoped(text) char *url = text_printf("%s%s%s", object->collection, patches ? "/" : "",
	                                     patches ? object->name : "");

	send_request(worker, patches ? "PATCH" : "POST", url,
	             patches ? worker->owner : object->body);
}

static void begin_application(struct worker *worker)
{
	struct bench *bench = worker->bench;

	if (bench->begun == bench->count)
		return;
	worker->application = &bench->applications[bench->begun++];
	worker->step = 0;
	worker->began_ms = now_ms();
	send_step(worker);
}

/* The first uid of a stored Pod is its own: it has no owner. */
static void read_owner(struct worker *worker, const char *answer)
{
	const struct application *application = worker->application;
	static const char key[] = "\"uid\":\"";
	const char *uid = strstr(answer, key);

	require(uid != NULL, "the answer to a Pod has no uid: %s", answer);
	uid += strlen(key);
	worker->owner = text_printf(
		"{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Pod\","
		"\"name\":\"%s\",\"uid\":\"%.*s\",\"controller\":true}]}}",
		application->objects[application->count - 1].name, (int)strcspn(uid, "\""), uid);
}

static void take_answer(struct worker *worker, CURLcode result)
{
	struct bench *bench = worker->bench;
	const struct application *application = worker->application;
	scoped(text) char *answer = text_stream_take(&worker->answer);
	long status = 0;

	require(result == CURLE_OK, "%s", curl_easy_strerror(result));
	curl_easy_getinfo(worker->curl, CURLINFO_RESPONSE_CODE, &status);
	require(status / 100 == 2, "the API server refuses: %s", answer);
	curl_multi_remove_handle(bench->multi, worker->curl);
	if (!application)
		return;
	worker->step++;
	if (worker->step == application->count)
		read_owner(worker, answer);
	if (worker->step < 2 * application->count - 1) {
		send_step(worker);
		return;
	}
	free(take(worker->owner));
	bench->latencies_ms[bench->done++] = now_ms() - worker->began_ms;
	begin_application(worker);
}

/* Until all requests, and those that follow from their answers, are done. */
static void drive(struct bench *bench)
{
	int running = 1, queued;
	struct worker *worker;
	CURLMsg *message;

	while (running) {
		curl_multi_perform(bench->multi, &running);
		while ((message = curl_multi_info_read(bench->multi, &queued))) {
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&worker);
			take_answer(worker, message->data.result);
			running = 1;
		}
		if (running)
			curl_multi_poll(bench->multi, NULL, 0, 1000, NULL);
	}
}

static void open_worker(struct bench *bench, struct worker *worker)
{
	const struct options *options = &bench->options;
	CURL *curl = curl_easy_init();

	worker->bench = bench;
	worker->curl = curl;
	curl_easy_setopt(curl, CURLOPT_PRIVATE, worker);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_CAINFO, options->cacert);
	curl_easy_setopt(curl, CURLOPT_SSLCERT, options->cert);
	curl_easy_setopt(curl, CURLOPT_SSLKEY, options->key);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, worker);
}

/* All at the same time, so that each makes a connection of its own, which is then kept. */
static struct worker *open_connections(struct bench *bench)
{
	size_t i, count = (size_t)bench->options.in_flight;
	struct worker *workers = xcalloc(count, sizeof(*workers));
	scoped(text) char *url = text_printf("%s/readyz", bench->options.server);

	for (i = 0; i < count; i++) {
		open_worker(bench, &workers[i]);
		send_request(&workers[i], "GET", url, NULL);
	}
	drive(bench);
	return workers;
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void report(const struct bench *bench, double wall_ms, double used_cpu_ms)
{
	double *sorted = bench->latencies_ms;
	size_t count = bench->done;

	qsort(sorted, count, sizeof(*sorted), compare);
	printf("in_flight=%d submissions=%zu wall_s=%.3f rate=%.1f p50_ms=%.1f p99_ms=%.1f "
	       "cpu_ms=%.2f\n",
	       bench->options.in_flight, count, wall_ms / 1e3, (double)count * 1e3 / wall_ms,
	       sorted[count / 2], sorted[count * 99 / 100], used_cpu_ms / (double)count);
}

static void run(struct bench *bench)
{
	double wall, cpu;
	struct worker *workers;
	int i;

	bench->json = curl_slist_append(NULL, "Content-Type: application/json");
	bench->merge_patch = curl_slist_append(NULL, "Content-Type: application/merge-patch+json");
	bench->multi = curl_multi_init();
	curl_multi_setopt(bench->multi, CURLMOPT_MAXCONNECTS, (long)bench->options.in_flight);
	workers = open_connections(bench);
	wall = now_ms();
	cpu = cpu_ms();
	for (i = 0; i < bench->options.in_flight; i++)
		begin_application(&workers[i]);
	drive(bench);
	report(bench, now_ms() - wall, cpu_ms() - cpu);
	for (i = 0; i < bench->options.in_flight; i++)
		curl_easy_cleanup(workers[i].curl);
	curl_multi_cleanup(bench->multi);
	curl_slist_free_all(bench->json);
	curl_slist_free_all(bench->merge_patch);
	free(workers);
}

static void bench_release(struct bench *bench)
{
	size_t i, k;

	for (i = 0; i < bench->count; i++)
		for (k = 0; k < bench->applications[i].count; k++) {
			const struct object *object = &bench->applications[i].objects[k];

			free(object->collection);
			free(object->name);
			free(object->body);
		}
	free(bench->objects);
	free(bench->applications);
	free(bench->latencies_ms);
}

static struct options read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "server", required_argument, NULL, 's' },
		{ "cacert", required_argument, NULL, 'a' },
		{ "cert", required_argument, NULL, 'c' },
		{ "key", required_argument, NULL, 'k' },
		{ "in-flight", required_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .in_flight = 16 };
	int64_t number = 0;
	int letter;

	while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (letter == 's')
			options.server = optarg;
		else if (letter == 'a')
			options.cacert = optarg;
		else if (letter == 'c')
			options.cert = optarg;
		else if (letter == 'k')
			options.key = optarg;
		else if (letter == 'n' && text_to_int64(optarg, 1, 1024, &number))
			options.in_flight = (int)number;
		else
			require(false, "%s: wrong option, see the top of its source", argv[0]);
	}
	options.list = argv[optind];
	require(options.server && options.list, "%s: --server and a file are needed", argv[0]);
	return options;
}

int main(int argc, char **argv)
{
	struct bench bench = { .options = read_options(argc, argv) };

	memory_init();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	read_applications(&bench);
	run(&bench);
	bench_release(&bench);
	curl_global_cleanup();
	return 0;
}
