/* Everything that the tree does with memory, for the sanitizers and valgrind; no Python, no MPI.
   Ends with 0 if all went as it should. */

#include <conduit.h>
#include <conduit_blueprint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0, told = 0;

#define CHECK(condition)                                            \
  if (!(condition)) {                                               \
    ++failures;                                                     \
    fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
  }

static void count_errors(const char* message, const char* file, int line) {
  (void)message, (void)file, (void)line;
  ++told;
}

static void leaves(void) {
  conduit_node* node = conduit_node_create();
  double values[6] = {0, 1, 2, 3, 4, 5};
  char text[] = "outside";
  for (int n = 0; n < 200; ++n) {
    char path[32];
    snprintf(path, sizeof path, "group_%d/leaf", n % 17);
    conduit_node_set_path_float64_ptr(node, path, values, n % 6);
    conduit_node_set_path_char8_str(node, "text", path);
    conduit_node_set_path_external_float64_ptr(node, "outside", values, 6);
    conduit_node_set_path_external_char8_str(node, "outside_text", text);
    /* From its own memory, and from what it was before. */
    conduit_node_set_float64_ptr(conduit_node_fetch(node, "own"), values, 6);
    conduit_node_set_float64_ptr(conduit_node_fetch(node, "own"),
                                 conduit_node_fetch_path_as_float64_ptr(node, "own"), 3);
    conduit_node_set_path_float64_ptr_detailed(node, "every_second", values, 3, 8, 16, 8, 0);
  }
  CHECK(conduit_node_fetch_path_as_float64_ptr(node, "every_second")[2] == 5);
  CHECK(conduit_node_number_of_elements(conduit_node_fetch(node, "own")) == 3);
  CHECK(strcmp(conduit_node_fetch_path_as_char8_str(node, "outside_text"), "outside") == 0);
  CHECK(conduit_node_fetch_path_as_float64_ptr(node, "outside") == values);
  conduit_node_destroy(node);
}

static void trees(void) {
  conduit_node *node = conduit_node_create(), *copy = conduit_node_create();
  for (int i = 0; i < 20; ++i) {
    conduit_node* item = conduit_node_append(conduit_node_fetch(node, "list"));
    conduit_node_set_path_int32(item, "deep/er/value", i);
    conduit_node_set_path_node(item, "copy", conduit_node_fetch(copy, "none"));
    conduit_node_set_path_node(copy, "all", node);
  }
  conduit_node_set_path_node(node, "itself", conduit_node_fetch(node, "list"));
  conduit_node_set_node(node, conduit_node_fetch(node, "itself")); /* a part becomes the whole */
  conduit_node_update(node, copy);
  conduit_node_swap(node, copy);
  conduit_node_move(copy, conduit_node_fetch(node, "x"));
  conduit_node_remove_path(node, "x");
  while (conduit_node_number_of_children(node) > 0) conduit_node_remove_child(node, 0);
  conduit_node_reset(copy);
  conduit_node_destroy(node);
  conduit_node_destroy(copy);
}

static void texts(void) {
  const char* const good[] = {
      "{}", "[]", "{\"a\": [1, 2.5, -3e2], \"b\": [1, \"x\", {\"c\": null}], \"d\": true}",
      "\"\\u00e9\\ud83d\\ude00\\n\"", " [ [1, 2], [3, 4] ] "};
  const char* const bad[] = {"",    "{", "[1,",  "{\"a\":",       "\"\\", "\"\\u12", "\"\\ud800\\u",
                             "tru", "-", "[1]]", "{\"a\" \"b\"}", "\xff"};
  conduit_node* node = conduit_node_create();
  for (size_t i = 0; i < sizeof good / sizeof *good; ++i) {
    conduit_node_parse(node, good[i], "json");
    char *json = conduit_node_to_json(node), *yaml = conduit_node_to_summary_string(node);
    conduit_node_parse(node, json, "json");
    char* again = conduit_node_to_json(node);
    CHECK(strcmp(json, again) == 0);
    free(json), free(yaml), free(again);
  }
  CHECK(told == 0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) conduit_node_parse(node, bad[i], "json");
  CHECK(told == (int)(sizeof bad / sizeof *bad));
  conduit_node_save(node, "node_client.json", "json");
  conduit_node_load(node, "node_client.json", "json");
  remove("node_client.json");
  conduit_node_destroy(node);
  told = 0;
}

static void meshes(void) {
  conduit_node *mesh = conduit_node_create(), *info = conduit_node_create();
  double lines[3] = {0, 1, 2}, values[8] = {0};
  conduit_node_set_path_char8_str(mesh, "coordsets/c/type", "rectilinear");
  conduit_node_set_path_external_float64_ptr(mesh, "coordsets/c/values/x", lines, 3);
  conduit_node_set_path_char8_str(mesh, "topologies/t/type", "rectilinear");
  conduit_node_set_path_char8_str(mesh, "topologies/t/coordset", "c");
  CHECK(conduit_blueprint_mesh_verify(mesh, info));
  conduit_node_set_path_char8_str(mesh, "fields/f/association", "element");
  conduit_node_set_path_char8_str(mesh, "fields/f/topology", "other");
  CHECK(!conduit_blueprint_mesh_verify(mesh, info));
  conduit_node_set_path_char8_str(mesh, "fields/f/topology", "t");
  conduit_node_set_path_external_float64_ptr(mesh, "fields/f/values", values, 8);
  CHECK(conduit_blueprint_mesh_verify(mesh, info));
  conduit_node_destroy(mesh);
  conduit_node_destroy(info);
}

static void mistakes(void) {
  conduit_node* node = conduit_node_create();
  conduit_node_set_path_char8_str(node, "text", "x");
  CHECK(conduit_node_fetch_existing(node, "a/b") == NULL);
  CHECK(conduit_node_fetch_existing(NULL, "a") == NULL);
  CHECK(conduit_node_fetch_path_as_float64_ptr(node, "text") == NULL);
  CHECK(conduit_node_fetch_path_as_int64(node, "text") == 0);
  CHECK(conduit_node_child(node, 5) == NULL);
  CHECK(conduit_node_child(node, -1) == NULL);
  CHECK(conduit_node_fetch(node, "../..") == NULL);
  conduit_node_set_path_float64_ptr(node, "a", NULL, 2);
  conduit_node_set_char8_str(node, NULL);
  CHECK(told == 9);
  conduit_node_destroy(node);
}

int main(void) {
  conduit_utils_set_error_handler(count_errors);
  leaves();
  trees();
  texts();
  meshes();
  mistakes();
  if (failures == 0) printf("5 passed, 0 failed\n");
  return failures != 0;
}
