/* SPDX-License-Identifier: Apache-2.0 */
/* Order and cycles, by one walk that keeps its own stack: a chain of any length is fine. */
#include "operator/graph.h"

#include <assert.h>
#include <string.h>
#include <uthash.h>

#include "core/memory.h"

struct edge_key {
	size_t from, to;
};

struct edge {
	struct edge_key key;
	UT_hash_handle hh;
};

struct node_list {
	size_t *nodes;
	size_t count, capacity;
};

struct node {
	struct node_list successors, predecessors;
};

struct graph {
	struct node *nodes;
	size_t count;
	struct edge *edges; /* to know the ones that are there */
};

struct graph *graph_new(size_t count)
{
	struct graph *graph = xcalloc(1, sizeof(*graph));

	graph->nodes = xcalloc(count, sizeof(*graph->nodes));
	graph->count = count;
	return graph;
}

void graph_free(struct graph *graph)
{
	struct edge *edge, *next;
	size_t i;

	if (!graph)
		return;
	for (i = 0; i < graph->count; i++) {
		free(graph->nodes[i].successors.nodes);
		free(graph->nodes[i].predecessors.nodes);
	}
	HASH_ITER (hh, graph->edges, edge, next) {
		HASH_DEL(graph->edges, edge);
		free(edge);
	}
	free(graph->nodes);
	free(graph);
}

void graph_cleanup(struct graph **graph)
{
	graph_free(*graph);
}

static void list_add(struct node_list *list, size_t node)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 4;
		list->nodes = xrealloc(list->nodes, list->capacity, sizeof(*list->nodes));
	}
	list->nodes[list->count++] = node;
}

void graph_add_edge(struct graph *graph, size_t from, size_t to)
{
	struct edge_key key = { from, to };
	struct edge *edge;

	assert(from < graph->count && to < graph->count);
	HASH_FIND(hh, graph->edges, &key, sizeof(key), edge);
	if (edge)
		return;
	edge = xcalloc(1, sizeof(*edge));
	edge->key = key;
	HASH_ADD(hh, graph->edges, key, sizeof(key), edge);
	list_add(&graph->nodes[from].successors, to);
	list_add(&graph->nodes[to].predecessors, from);
}

size_t graph_node_count(const struct graph *graph)
{
	return graph->count;
}

const size_t *graph_successors(const struct graph *graph, size_t node, size_t *count)
{
	*count = graph->nodes[node].successors.count;
	return graph->nodes[node].successors.nodes;
}

const size_t *graph_predecessors(const struct graph *graph, size_t node, size_t *count)
{
	*count = graph->nodes[node].predecessors.count;
	return graph->nodes[node].predecessors.nodes;
}

/* A node whose predecessors are being visited. */
struct visit {
	size_t node, next;
};

struct walk {
	const struct graph *graph;
	enum { NODE_NEW, NODE_OPEN, NODE_DONE } * marks;
	struct visit *stack;
	size_t depth;
	size_t *order, ordered;
};

static void walk_init(struct walk *walk, const struct graph *graph)
{
	*walk = (struct walk){ .graph = graph };
	walk->marks = xcalloc(graph->count, sizeof(*walk->marks));
	walk->stack = xcalloc(graph->count, sizeof(*walk->stack));
	walk->order = xcalloc(graph->count, sizeof(*walk->order));
}

static void walk_release(struct walk *walk)
{
	free(walk->marks);
	free(walk->stack);
	free(walk->order);
}

static void walk_enter(struct walk *walk, size_t node)
{
	walk->marks[node] = NODE_OPEN;
	walk->stack[walk->depth++] = (struct visit){ .node = node };
}

/* Visits what `root` needs, and then `root`. False when a cycle is met: the top of the stack needs
 * *closing, which is further down in it. */
static bool walk_from(struct walk *walk, size_t root, size_t *closing)
{
	if (walk->marks[root] == NODE_NEW)
		walk_enter(walk, root);
	while (walk->depth) {
		struct visit *top = &walk->stack[walk->depth - 1];
		const struct node_list *needed = &walk->graph->nodes[top->node].predecessors;

		if (top->next == needed->count) {
			walk->marks[top->node] = NODE_DONE;
			walk->order[walk->ordered++] = top->node;
			walk->depth--;
			continue;
		}
		*closing = needed->nodes[top->next++];
		if (walk->marks[*closing] == NODE_OPEN)
			return false;
		if (walk->marks[*closing] == NODE_NEW)
			walk_enter(walk, *closing);
	}
	return true;
}

static bool walk_all(struct walk *walk, size_t *closing)
{
	size_t i;

	for (i = 0; i < walk->graph->count; i++)
		if (!walk_from(walk, i, closing))
			return false;
	return true;
}

size_t *graph_order(const struct graph *graph)
{
	struct walk walk;
	size_t *order = NULL, closing;

	walk_init(&walk, graph);
	if (walk_all(&walk, &closing))
		order = take(walk.order);
	walk_release(&walk);
	return order;
}

/* The stack holds the cycle against the direction of its edges; it is told from its least node. */
static size_t *cycle_of(const struct walk *walk, size_t closing, size_t *count)
{
	size_t first = walk->depth - 1, least, i, *cycle;

	while (walk->stack[first].node != closing)
		first--;
	least = first;
	for (i = first; i < walk->depth; i++)
		if (walk->stack[i].node < walk->stack[least].node)
			least = i;
	*count = walk->depth - first;
	cycle = xcalloc(*count, sizeof(*cycle));
	for (i = 0; i < *count; i++)
		cycle[i] = walk->stack[first + (least - first + *count - i) % *count].node;
	return cycle;
}

size_t *graph_cycle(const struct graph *graph, size_t *count)
{
	struct walk walk;
	size_t *cycle = NULL, closing;

	walk_init(&walk, graph);
	if (!walk_all(&walk, &closing))
		cycle = cycle_of(&walk, closing, count);
	walk_release(&walk);
	return cycle;
}
