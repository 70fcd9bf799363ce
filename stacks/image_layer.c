/* SPDX-License-Identifier: Apache-2.0 */
/* Files -> tar -> gzip, and the digests of both, in one pass. */
#include "stacks/image_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "core/zlib.h"
#include "stacks/image_tar.h"

/* A third of the time of zlib's own choice, 6, for a tenth more bytes: code is small beside the
 * image that it is added to, and somebody waits for it. */
#define GZIP_LEVEL 4
/* deflateInit2(): the largest window, and 16 more for a gzip file instead of zlib's. */
#define GZIP_WINDOW_BITS (15 + 16)
#define GZIP_MEMORY_LEVEL 8
/* The end of an archive is two blocks of zeros; archives are not filled up to 20 of them. */
#define TAR_END (2 * IMAGE_TAR_BLOCK)

void image_layer_free(struct image_layer *layer)
{
	if (!layer)
		return;
	fd_cleanup(&layer->fd);
	free(layer->diff_id);
	free(layer->digest);
	free(layer);
}

/* ---- tar ---- */

/* "a/b/" and "a/b/c/" are the folders that "a/b/c/d" has more than `previous`. */
static bool write_folders(const char *path, const char *previous, const struct image_sink *sink,
                          struct error **err)
{
	const char *slash;

	for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t size = (size_t)(slash - path) + 1;
		scoped(text) char *folder = xstrndup(path, size);
		scoped(text) char *header = NULL;
		size_t header_size;

		if (!text_starts_with(folder, IMAGE_FOLDER "/") || !strncmp(previous, path, size))
			continue;
		header = image_tar_header(
			&(struct image_tar_entry){ .path = folder, .is_folder = true },
			&header_size);
		if (!sink->put(sink->context, header, header_size, err))
			return false;
	}
	return true;
}

static bool write_file(const struct image_file *file, const struct image_sink *sink,
                       struct error **err)
{
	static const char zeros[IMAGE_TAR_BLOCK];
	const struct image_tar_entry entry = { .path = file->path,
		                               .size_bytes = file->size_bytes,
		                               .is_executable = file->is_executable };
	size_t size, padding = image_tar_padding(file->size_bytes);
	scoped(text) char *header = image_tar_header(&entry, &size);

	return sink->put(sink->context, header, size, err) && image_file_read(file, sink, err) &&
	       (!padding || sink->put(sink->context, zeros, padding, err));
}

static bool write_tar(struct image_tree *tree, const struct image_sink *sink, size_t *file_count,
                      struct error **err)
{
	static const char end[TAR_END];
	const struct image_file *files;
	const char *previous = "";
	size_t i;

	if (!image_tree_files(tree, &files, file_count, err))
		return false;
	for (i = 0; i < *file_count; i++) {
		if (!write_folders(files[i].path, previous, sink, err) ||
		    !write_file(&files[i], sink, err))
			return false;
		previous = files[i].path;
	}
	return sink->put(sink->context, end, sizeof(end), err);
}

static char *end_digest(struct digest *digest)
{
	scoped(text) char *hex = digest_end(digest);

	return text_printf("sha256:%s", hex);
}

static bool add_to_digest(void *context, const void *bytes, size_t size, struct error **err)
{
	(void)err;
	digest_add(context, bytes, size);
	return true;
}

char *image_layer_diff_id(struct image_tree *tree, struct error **err)
{
	scoped(digest) struct digest *digest = digest_new("sha256");
	const struct image_sink sink = { add_to_digest, digest };
	size_t count;

	return write_tar(tree, &sink, &count, err) ? end_digest(digest) : NULL;
}

/* ---- gzip ---- */

struct compressor {
	const struct zlib_api *zlib;
	z_stream stream;
	struct digest *content, *compressed;
	struct image_layer *layer;
	unsigned char out[65536];
};

static bool write_out(struct compressor *compressor, struct error **err)
{
	size_t left = sizeof(compressor->out) - compressor->stream.avail_out;
	const unsigned char *bytes = compressor->out;

	digest_add(compressor->compressed, bytes, left);
	compressor->layer->size_bytes += (int64_t)left;
	while (left) {
		ssize_t written = write(compressor->layer->fd, bytes, left);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return error_set(err, ERROR_INTERNAL,
			                 "write the layer's temporary file: %m; $TMPDIR names a "
			                 "folder with more room");
		bytes += written;
		left -= (size_t)written;
	}
	compressor->stream.next_out = compressor->out;
	compressor->stream.avail_out = sizeof(compressor->out);
	return true;
}

/* `flush` is Z_NO_FLUSH, or Z_FINISH at the end. */
static bool compress_bytes(struct compressor *compressor, const void *bytes, size_t size, int flush,
                           struct error **err)
{
	int result;

	compressor->stream.next_in = (unsigned char *)bytes;
	compressor->stream.avail_in = (unsigned)size;
	do {
		result = compressor->zlib->deflate(&compressor->stream, flush);
		if (!compressor->stream.avail_out && !write_out(compressor, err))
			return false;
	} while (compressor->stream.avail_in || (flush == Z_FINISH && result != Z_STREAM_END));
	return flush != Z_FINISH || write_out(compressor, err);
}

static bool take_content(void *context, const void *bytes, size_t size, struct error **err)
{
	struct compressor *compressor = context;

	digest_add(compressor->content, bytes, size);
	compressor->layer->content_bytes += (int64_t)size;
	return compress_bytes(compressor, bytes, size, Z_NO_FLUSH, err);
}

static void compressor_release(struct compressor *compressor)
{
	compressor->zlib->deflate_end(&compressor->stream);
	digest_free(compressor->content);
	digest_free(compressor->compressed);
}

static void compressor_init(struct compressor *compressor, const struct zlib_api *zlib,
                            struct image_layer *layer)
{
	compressor->zlib = zlib;
	compressor->layer = layer;
	compressor->content = digest_new("sha256");
	compressor->compressed = digest_new("sha256");
	compressor->stream =
		(z_stream){ .next_out = compressor->out, .avail_out = sizeof(compressor->out) };
	if (zlib->deflate_init(&compressor->stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS,
	                       GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
	                       sizeof(z_stream)) != Z_OK)
		abort(); /* out of memory: all else is constant */
}

/* It has no name, so that nothing is left behind however the process ends. Not every file system
 * has O_TMPFILE. */
static int open_temporary(struct error **err)
{
	const char *folder = getenv("TMPDIR");
	scoped(text) char *path = NULL;
	int fd;

	folder = folder && *folder ? folder : "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	path = text_printf("%s/stepop-layer-XXXXXX", folder);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	else
		error_set(err, ERROR_INTERNAL, "make a temporary file in '%s' ($TMPDIR): %m",
		          folder);
	return fd;
}

struct image_layer *image_layer_write(struct image_tree *tree, struct error **err)
{
	const struct zlib_api *zlib = zlib_api_load(err);
	scoped(image_layer) struct image_layer *layer = xcalloc(1, sizeof(*layer));
	struct compressor compressor;
	const struct image_sink sink = { take_content, &compressor };
	bool ok;

	layer->fd = zlib ? open_temporary(err) : -1;
	if (layer->fd < 0)
		return NULL;
	compressor_init(&compressor, zlib, layer);
	ok = write_tar(tree, &sink, &layer->file_count, err) &&
	     compress_bytes(&compressor, NULL, 0, Z_FINISH, err);
	if (ok) {
		layer->diff_id = end_digest(compressor.content);
		layer->digest = end_digest(compressor.compressed);
	}
	compressor_release(&compressor);
	return ok ? take(layer) : NULL;
}
