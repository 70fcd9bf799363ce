// SPDX-License-Identifier: Apache-2.0

// The etcd server. Its own module has "replace" lines, which `go install
// module@version` refuses, so it is imported from here.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
