#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an OCI image layout out of layers that are plain tar files.

usage: oci.py FOLDER NAME CONFIG LAYER...
FOLDER gets the layout; the layers are moved into it. NAME is the image's full name with its
tag, CONFIG the image's "config" object as JSON. Layers stay uncompressed: they are read on the
machine that made them, and unpacking is what the start of a node waits for.
"""
import hashlib
import json
import os
import sys

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CREATED = "2026-01-01T00:00:00Z"  # the same input gives the same image


def descriptor(media_type, digest, size, **more):
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": size, **more}


class Layout:
    def __init__(self, folder):
        self.folder = folder
        self.blobs = os.path.join(folder, "blobs", "sha256")
        os.makedirs(self.blobs, exist_ok=True)

    def take_layer(self, path):
        digest = hashlib.sha256()
        with open(path, "rb") as layer:
            while chunk := layer.read(1 << 20):
                digest.update(chunk)
        blob = os.path.join(self.blobs, digest.hexdigest())
        os.replace(path, blob)
        size = os.path.getsize(blob)
        return descriptor("application/vnd.oci.image.layer.v1.tar", digest.hexdigest(), size)

    def add_json(self, media_type, value, **more):
        content = json.dumps(value, sort_keys=True).encode()
        digest = hashlib.sha256(content).hexdigest()
        with open(os.path.join(self.blobs, digest), "wb") as blob:
            blob.write(content)
        return descriptor(media_type, digest, len(content), **more)

    def write(self, name, value):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as out:
            json.dump(value, out)


def main(folder, name, config, *layer_paths):
    layout = Layout(folder)
    layers = [layout.take_layer(path) for path in layer_paths]
    image = {
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": json.loads(config),
        # An uncompressed layer's digest is its diff id.
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": layout.add_json("application/vnd.oci.image.config.v1+json", image),
        "layers": layers,
    }
    names = {
        "io.containerd.image.name": name,
        "org.opencontainers.image.ref.name": name.rsplit(":", 1)[1],
    }
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            layout.add_json(
                MANIFEST,
                manifest,
                platform={"architecture": "amd64", "os": "linux"},
                annotations=names,
            )
        ],
    }
    layout.write("index.json", index)
    layout.write("oci-layout", {"imageLayoutVersion": "1.0.0"})


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
