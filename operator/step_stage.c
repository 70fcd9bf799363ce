/* SPDX-License-Identifier: Apache-2.0 */
/* One file is digested at a time; several are sent. */
#include "operator/step_stage.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

/* A turn of the loop: some milliseconds of digesting. */
#define SLICE_BYTES ((size_t)4 << 20)

enum { UPLOADS_MAX = 4 };

struct stage_upload {
	struct step_stage *stage; /* NULL: free */
	const struct step_file *file;
	struct artifact_upload *upload;
};

struct step_stage {
	struct loop *loop;
	const struct launch_identity *identity;
	const struct step *step;
	step_stage_ended *ended;
	void *context;
	json_t *files; /* argument name -> URI */
	size_t next;   /* file */
	/* The one that is being digested. */
	struct digest *digest;
	int fd;
	struct stage_upload uploads[UPLOADS_MAX];
	struct loop_source *turn;
};

static void step_stage_free(struct step_stage *stage)
{
	if (!stage)
		return;
	loop_cancel(stage->turn);
	digest_free(stage->digest);
	fd_cleanup(&stage->fd);
	json_decref(stage->files);
	free(stage);
}

void step_stage_cancel(struct step_stage *stage)
{
	if (!stage)
		return;
	for (size_t i = 0; i < UPLOADS_MAX; i++)
		artifact_upload_cancel(stage->uploads[i].upload);
	step_stage_free(stage);
}

/* The last thing that is done with the stage. */
static void fail(struct step_stage *stage, const struct step_file *file, struct error *error)
{
	step_stage_ended *ended = stage->ended;
	void *context = stage->context;

	error_wrap(&error, "stage the file '%s' of step '%s'", file->path, stage->step->name);
	step_stage_cancel(stage);
	ended(context, NULL, error);
	error_free(error);
}

static bool is_local_file(const struct launch_identity *identity, const struct step_file *file)
{
	return identity->artifacts->flavor->remote && !step_file_is_uri(file);
}

bool step_stage_is_needed(const struct launch_identity *identity, const struct step *step)
{
	for (size_t i = 0; i < step->file_count; i++)
		if (is_local_file(identity, &step->files[i]))
			return true;
	return false;
}

/* ---- one file ---- */

static void take_turn(void *context);

static void wait_for_turn(struct step_stage *stage)
{
	if (!stage->turn)
		stage->turn = loop_start_timer(stage->loop, 0, take_turn, stage);
}

static void upload_ended(void *context, const struct error *error)
{
	struct stage_upload *upload = context;
	struct step_stage *stage = upload->stage;
	const struct step_file *file = upload->file;

	*upload = (struct stage_upload){ 0 };
	if (error)
		fail(stage, file, error_copy(error));
	else
		wait_for_turn(stage);
}

static struct stage_upload *free_upload(struct step_stage *stage)
{
	for (size_t i = 0; i < UPLOADS_MAX; i++)
		if (!stage->uploads[i].stage)
			return &stage->uploads[i];
	return NULL;
}

static bool send(struct step_stage *stage, const struct step_file *file, const char *uri,
                 struct error **err)
{
	struct stage_upload *upload = free_upload(stage);
	struct artifact_store *store = stage->identity->artifacts;
	scoped(error) struct error *absent = NULL;
	int64_t size_bytes;

	if (artifact_size(store, uri, &size_bytes, &absent))
		return true;
	if (absent->kind != ERROR_NOT_FOUND)
		return error_pass(err, take(absent));
	if (!artifact_upload_start(store, uri, file->path, upload_ended, upload, &upload->upload,
	                           err))
		return false;
	if (upload->upload) {
		upload->stage = stage;
		upload->file = file;
	}
	return true;
}

static bool open_file(struct step_stage *stage, const struct step_file *file, struct error **err)
{
	stage->fd = open(file->path, O_RDONLY | O_CLOEXEC);
	stage->digest = digest_new("sha256");
	return stage->fd >= 0 || error_set(err, ERROR_NOT_FOUND, "open '%s': %m", file->path);
}

static bool end_file(struct step_stage *stage, const struct step_file *file, struct error **err)
{
	scoped(text) char *digest = digest_end(stage->digest);
	scoped(text) char *uri = step_file_uri(stage->identity, file, digest);

	digest_free(take(stage->digest));
	fd_cleanup(&stage->fd);
	stage->fd = -1;
	stage->next++;
	json_object_set_new(stage->files, file->name, json_string(uri));
	return send(stage, file, uri, err);
}

/* A slice of the file, or what comes after the last one. */
static bool proceed_file(struct step_stage *stage, const struct step_file *file, struct error **err)
{
	scoped(text) char *bytes = NULL;
	ssize_t got;

	if (stage->fd < 0 && !open_file(stage, file, err))
		return false;
	bytes = xcalloc(SLICE_BYTES, 1);
	got = read(stage->fd, bytes, SLICE_BYTES);
	if (got < 0)
		return error_set(err, ERROR_INTERNAL, "read '%s': %m", file->path);
	if (got == 0)
		return end_file(stage, file, err);
	digest_add(stage->digest, bytes, (size_t)got);
	return true;
}

/* ---- all of them ---- */

static bool is_sending(const struct step_stage *stage)
{
	for (size_t i = 0; i < UPLOADS_MAX; i++)
		if (stage->uploads[i].stage)
			return true;
	return false;
}

/* Past those that stay where they are. */
static void skip_uris(struct step_stage *stage)
{
	for (; stage->next < stage->step->file_count; stage->next++) {
		const struct step_file *file = &stage->step->files[stage->next];
		scoped(text) char *uri = NULL;

		if (is_local_file(stage->identity, file))
			return;
		uri = step_file_uri(stage->identity, file, NULL);
		json_object_set_new(stage->files, file->name, json_string(uri));
	}
}

static void end(struct step_stage *stage)
{
	stage->ended(stage->context, stage->files, NULL);
	step_stage_free(stage);
}

static void take_turn(void *context)
{
	struct step_stage *stage = context;
	const struct step_file *file = NULL;
	struct error *error = NULL;

	stage->turn = NULL;
	skip_uris(stage);
	if (stage->next < stage->step->file_count)
		file = &stage->step->files[stage->next];
	if (!file && !is_sending(stage))
		end(stage);
	if (!file || !free_upload(stage))
		return;
	if (proceed_file(stage, file, &error))
		wait_for_turn(stage);
	else
		fail(stage, file, error);
}

struct step_stage *step_stage_start(struct loop *loop, const struct launch_identity *identity,
                                    const struct step *step, step_stage_ended *ended, void *context)
{
	struct step_stage *stage = xcalloc(1, sizeof(*stage));

	stage->loop = loop;
	stage->identity = identity;
	stage->step = step;
	stage->ended = ended;
	stage->context = context;
	stage->files = json_object();
	stage->fd = -1;
	wait_for_turn(stage);
	return stage;
}
