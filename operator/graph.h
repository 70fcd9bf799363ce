/* SPDX-License-Identifier: Apache-2.0 */
/* Steps and their dependencies as numbers: order, cycles, what follows what. Pure functions. */
#ifndef OPERATOR_GRAPH_H
#define OPERATOR_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

struct graph;

/* Nodes 0 … count-1, no edges. */
struct graph *graph_new(size_t count);
void graph_free(struct graph *graph);
void graph_cleanup(struct graph **graph);
/* `to` needs `from`. The same edge twice is one edge. */
void graph_add_edge(struct graph *graph, size_t from, size_t to);
size_t graph_node_count(const struct graph *graph);
/* Borrowed arrays, in the order of adding. */
const size_t *graph_successors(const struct graph *graph, size_t node, size_t *count);
const size_t *graph_predecessors(const struct graph *graph, size_t node, size_t *count);
/* A topological order that keeps the file's order where it can; owned by the caller; NULL when
 * there is a cycle. Linear in nodes and edges. */
size_t *graph_order(const struct graph *graph);
/* The nodes of one cycle, each needed by the next and the last by the first, beginning with the
 * least; NULL when there is none; owned by the caller. Linear. */
size_t *graph_cycle(const struct graph *graph, size_t *count);

#endif
