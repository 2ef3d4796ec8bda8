/* duckdb_api.h - the functions of DuckDB that the backend calls, found when a file is first opened:
 * the library is 70 MB, and programs that want their help only should not wait for it. */
#pragma once

#include "base/err.h"

#include <duckdb.h>

// clang-format off
#define DUCKDB_FUNCTIONS(F) \
    F(append_data_chunk) \
    F(appender_add_column) \
    F(appender_close) \
    F(appender_create_ext) \
    F(appender_destroy) \
    F(appender_error_data) \
    F(close) \
    F(column_count) \
    F(column_logical_type) \
    F(column_type) \
    F(connect) \
    F(create_config) \
    F(create_data_chunk) \
    F(create_list_type) \
    F(create_logical_type) \
    F(create_struct_type) \
    F(data_chunk_get_size) \
    F(data_chunk_get_vector) \
    F(data_chunk_reset) \
    F(data_chunk_set_size) \
    F(destroy_config) \
    F(destroy_data_chunk) \
    F(destroy_error_data) \
    F(destroy_logical_type) \
    F(destroy_pending) \
    F(destroy_prepare) \
    F(destroy_result) \
    F(disconnect) \
    F(error_data_error_type) \
    F(error_data_message) \
    F(execute_pending) \
    F(fetch_chunk) \
    F(free) \
    F(get_type_id) \
    F(list_type_child_type) \
    F(list_vector_get_child) \
    F(list_vector_get_size) \
    F(list_vector_reserve) \
    F(list_vector_set_size) \
    F(open_ext) \
    F(pending_error) \
    F(pending_prepared_streaming) \
    F(prepare) \
    F(prepare_error) \
    F(query) \
    F(result_error) \
    F(result_error_type) \
    F(rows_changed) \
    F(set_config) \
    F(string_t_data) \
    F(string_t_length) \
    F(struct_type_child_count) \
    F(struct_type_child_name) \
    F(struct_type_child_type) \
    F(struct_vector_get_child) \
    F(validity_row_is_valid) \
    F(validity_set_row_invalid) \
    F(vector_assign_string_element_len) \
    F(vector_ensure_validity_writable) \
    F(vector_get_data) \
    F(vector_get_validity) \
    F(vector_size)

struct duckdb_api {
#define F(NAME) __typeof__(duckdb_##NAME) *NAME;
    DUCKDB_FUNCTIONS(F)
#undef F
};
extern struct duckdb_api duckdb_api; // written once, by duckdb_library_load

#define duckdb_append_data_chunk duckdb_api.append_data_chunk
#define duckdb_appender_add_column duckdb_api.appender_add_column
#define duckdb_appender_close duckdb_api.appender_close
#define duckdb_appender_create_ext duckdb_api.appender_create_ext
#define duckdb_appender_destroy duckdb_api.appender_destroy
#define duckdb_appender_error_data duckdb_api.appender_error_data
#define duckdb_close duckdb_api.close
#define duckdb_column_count duckdb_api.column_count
#define duckdb_column_logical_type duckdb_api.column_logical_type
#define duckdb_column_type duckdb_api.column_type
#define duckdb_connect duckdb_api.connect
#define duckdb_create_config duckdb_api.create_config
#define duckdb_create_data_chunk duckdb_api.create_data_chunk
#define duckdb_create_list_type duckdb_api.create_list_type
#define duckdb_create_logical_type duckdb_api.create_logical_type
#define duckdb_create_struct_type duckdb_api.create_struct_type
#define duckdb_data_chunk_get_size duckdb_api.data_chunk_get_size
#define duckdb_data_chunk_get_vector duckdb_api.data_chunk_get_vector
#define duckdb_data_chunk_reset duckdb_api.data_chunk_reset
#define duckdb_data_chunk_set_size duckdb_api.data_chunk_set_size
#define duckdb_destroy_config duckdb_api.destroy_config
#define duckdb_destroy_data_chunk duckdb_api.destroy_data_chunk
#define duckdb_destroy_error_data duckdb_api.destroy_error_data
#define duckdb_destroy_logical_type duckdb_api.destroy_logical_type
#define duckdb_destroy_pending duckdb_api.destroy_pending
#define duckdb_destroy_prepare duckdb_api.destroy_prepare
#define duckdb_destroy_result duckdb_api.destroy_result
#define duckdb_disconnect duckdb_api.disconnect
#define duckdb_error_data_error_type duckdb_api.error_data_error_type
#define duckdb_error_data_message duckdb_api.error_data_message
#define duckdb_execute_pending duckdb_api.execute_pending
#define duckdb_fetch_chunk duckdb_api.fetch_chunk
#define duckdb_free duckdb_api.free
#define duckdb_get_type_id duckdb_api.get_type_id
#define duckdb_list_type_child_type duckdb_api.list_type_child_type
#define duckdb_list_vector_get_child duckdb_api.list_vector_get_child
#define duckdb_list_vector_get_size duckdb_api.list_vector_get_size
#define duckdb_list_vector_reserve duckdb_api.list_vector_reserve
#define duckdb_list_vector_set_size duckdb_api.list_vector_set_size
#define duckdb_open_ext duckdb_api.open_ext
#define duckdb_pending_error duckdb_api.pending_error
#define duckdb_pending_prepared_streaming duckdb_api.pending_prepared_streaming
#define duckdb_prepare duckdb_api.prepare
#define duckdb_prepare_error duckdb_api.prepare_error
#define duckdb_query duckdb_api.query
#define duckdb_result_error duckdb_api.result_error
#define duckdb_result_error_type duckdb_api.result_error_type
#define duckdb_rows_changed duckdb_api.rows_changed
#define duckdb_set_config duckdb_api.set_config
#define duckdb_string_t_data duckdb_api.string_t_data
#define duckdb_string_t_length duckdb_api.string_t_length
#define duckdb_struct_type_child_count duckdb_api.struct_type_child_count
#define duckdb_struct_type_child_name duckdb_api.struct_type_child_name
#define duckdb_struct_type_child_type duckdb_api.struct_type_child_type
#define duckdb_struct_vector_get_child duckdb_api.struct_vector_get_child
#define duckdb_validity_row_is_valid duckdb_api.validity_row_is_valid
#define duckdb_validity_set_row_invalid duckdb_api.validity_set_row_invalid
#define duckdb_vector_assign_string_element_len duckdb_api.vector_assign_string_element_len
#define duckdb_vector_ensure_validity_writable duckdb_api.vector_ensure_validity_writable
#define duckdb_vector_get_data duckdb_api.vector_get_data
#define duckdb_vector_get_validity duckdb_api.vector_get_validity
#define duckdb_vector_size duckdb_api.vector_size
// clang-format on

/** Before any other call. @return 0, or E_IO: the library is missing or another version. */
MUST_CHECK int duckdb_library_load(struct err *err);
