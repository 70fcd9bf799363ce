/* SPDX-License-Identifier: Apache-2.0 */
/* operator/graph: order and cycles. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "operator/graph.h"

static struct graph *graph_of(size_t count, const size_t (*edges)[2], size_t edge_count)
{
	struct graph *graph = graph_new(count);
	size_t i;

	for (i = 0; i < edge_count; i++)
		graph_add_edge(graph, edges[i][0], edges[i][1]);
	return graph;
}

static void assert_order(const struct graph *graph, const size_t *expected)
{
	size_t *order = graph_order(graph);

	assert_non_null(order);
	assert_memory_equal(order, expected, graph_node_count(graph) * sizeof(*order));
	free(order);
}

static void test_graph_order__keeps_the_order_of_the_file_where_it_can(void **state)
{
	static const size_t edges[][2] = { { 0, 1 }, { 0, 2 }, { 2, 3 }, { 1, 4 } };
	static const size_t expected[] = { 0, 1, 2, 3, 4 };
	scoped(graph) struct graph *graph = graph_of(5, edges, ARRAY_SIZE(edges));

	(void)state;
	assert_order(graph, expected);
}

static void test_graph_order__puts_what_is_needed_first(void **state)
{
	static const size_t edges[][2] = { { 3, 0 }, { 2, 0 }, { 1, 3 } };
	static const size_t expected[] = { 1, 3, 2, 0 };
	scoped(graph) struct graph *graph = graph_of(4, edges, ARRAY_SIZE(edges));

	(void)state;
	assert_order(graph, expected);
}

static void test_graph_add_edge__counts_the_same_edge_once(void **state)
{
	static const size_t edges[][2] = { { 0, 1 }, { 0, 2 }, { 0, 1 } };
	scoped(graph) struct graph *graph = graph_of(3, edges, ARRAY_SIZE(edges));
	size_t successors, predecessors;
	const size_t *of_0 = graph_successors(graph, 0, &successors);

	(void)state;
	graph_predecessors(graph, 1, &predecessors);
	assert_int_equal(successors, 2);
	assert_int_equal(of_0[0], 1);
	assert_int_equal(of_0[1], 2);
	assert_int_equal(predecessors, 1);
}

static void test_graph_cycle__names_the_nodes_of_a_cycle_in_its_order(void **state)
{
	static const size_t edges[][2] = { { 0, 1 }, { 4, 2 }, { 2, 3 },
		                           { 3, 4 }, { 1, 2 }, { 4, 5 } };
	static const size_t expected[] = { 2, 3, 4 };
	scoped(graph) struct graph *graph = graph_of(6, edges, ARRAY_SIZE(edges));
	size_t count, *cycle = graph_cycle(graph, &count);

	(void)state;
	assert_int_equal(count, 3);
	assert_memory_equal(cycle, expected, sizeof(expected));
	assert_null(graph_order(graph));
	free(cycle);
}

static void test_graph_cycle__sees_a_node_that_needs_itself(void **state)
{
	static const size_t edges[][2] = { { 0, 1 }, { 1, 1 } };
	scoped(graph) struct graph *graph = graph_of(2, edges, ARRAY_SIZE(edges));
	size_t count, *cycle = graph_cycle(graph, &count);

	(void)state;
	assert_int_equal(count, 1);
	assert_int_equal(cycle[0], 1);
	free(cycle);
}

static void test_graph_cycle__finds_none_in_a_diamond(void **state)
{
	static const size_t edges[][2] = { { 0, 1 }, { 0, 2 }, { 1, 3 }, { 2, 3 } };
	scoped(graph) struct graph *graph = graph_of(4, edges, ARRAY_SIZE(edges));
	size_t count;

	(void)state;
	assert_null(graph_cycle(graph, &count));
}

static void test_graph_order__takes_a_chain_and_a_hub_of_100000_nodes(void **state)
{
	enum { COUNT = 100000 };
	scoped(graph) struct graph *chain = graph_new(COUNT), *hub = graph_new(COUNT);
	size_t i, *order;

	(void)state;
	/* Each node needs the next one: the worst for a recursion. */
	for (i = 0; i + 1 < COUNT; i++) {
		graph_add_edge(chain, i + 1, i);
		graph_add_edge(hub, 0, i + 1);
	}

	order = graph_order(chain);
	assert_non_null(order);
	for (i = 0; i < COUNT; i++)
		assert_true(order[i] == COUNT - 1 - i);
	free(order);
	order = graph_order(hub);
	assert_non_null(order);
	free(order);
}

static void test_graph_order__of_nothing_is_empty(void **state)
{
	scoped(graph) struct graph *graph = graph_new(0);
	size_t *order = graph_order(graph);

	(void)state;
	assert_non_null(order);
	free(order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_graph_order__keeps_the_order_of_the_file_where_it_can),
		cmocka_unit_test(test_graph_order__puts_what_is_needed_first),
		cmocka_unit_test(test_graph_add_edge__counts_the_same_edge_once),
		cmocka_unit_test(test_graph_cycle__names_the_nodes_of_a_cycle_in_its_order),
		cmocka_unit_test(test_graph_cycle__sees_a_node_that_needs_itself),
		cmocka_unit_test(test_graph_cycle__finds_none_in_a_diamond),
		cmocka_unit_test(test_graph_order__takes_a_chain_and_a_hub_of_100000_nodes),
		cmocka_unit_test(test_graph_order__of_nothing_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
