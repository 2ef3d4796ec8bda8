-- SPDX-License-Identifier: MPL-2.0
-- A million made-up clients of 2021-03-14 as clients_daily has them, and their whitelist database;
-- always the same for a version of DuckDB. In the working directory:
--   sql-tool duckdb:////tmp/made.duckdb <taar_clients.sql
-- writes taar_clients.parquet (70 MB) and taar_whitelist.json. A client has three system add-ons and
-- up to six others of 2,000, the first ones often.
CREATE MACRO draw(client, what) AS (hash(client, what) % 1000000) / 1e6;
COPY (
    SELECT
        md5('client' || i) AS client_id,
        DATE '2021-03-14' AS submission_date,
        if(draw(i, 'channel') < 0.9, 'release', 'beta') AS channel,
        if(draw(i, 'channel') < 0.9, 'release', 'beta') AS normalized_channel,
        if(draw(i, 'app') < 0.98, 'Firefox', 'Fennec') AS app_name,
        (['en-US', 'de', 'fr', 'ru', 'pl', 'es-ES', 'it', 'pt-BR'])[1 + CAST(hash(i, 'locale') % 8 AS BIGINT)] AS locale,
        'City ' || hash(i, 'city') % 500 AS city,
        if(draw(i, 'os') < 0.85, 'Windows_NT', 'Linux') AS os,
        CAST(10 * draw(i, 'hours') AS DECIMAL(37, 6)) AS subsession_hours_sum,
        100 * draw(i, 'bookmarks') AS places_bookmarks_count_mean,
        CAST(100 * draw(i, 'tabs') AS BIGINT) AS scalar_parent_browser_engagement_tab_open_event_count_sum,
        CAST(1000 * draw(i, 'uris') AS BIGINT) AS scalar_parent_browser_engagement_total_uri_count_sum,
        30 * draw(i, 'domains') AS scalar_parent_browser_engagement_unique_domains_count_mean,
        list_transform(range(3 + CAST(hash(i, 'n') % 7 AS BIGINT)), lambda k: {
            'addon_id': if(k < 3, 'system-' || k || '@mozilla.example',
                'addon-' || CAST(2000 * pow(draw(i, k), 3) AS BIGINT) || '@made-up.example'),
            'blocklisted': FALSE,
            'name': 'An add-on',
            'user_disabled': draw(i, k + 100) < 0.05,
            'app_disabled': FALSE,
            'version': '1.' || k,
            'scope': CAST(1 AS BIGINT),
            'type': 'extension',
            'foreign_install': FALSE,
            'has_binary_components': FALSE,
            'install_day': CAST(18000 + k AS BIGINT),
            'update_day': CAST(18600 AS BIGINT),
            'signed_state': CAST(2 AS BIGINT),
            'is_system': k < 3,
            'is_web_extension': TRUE,
            'multiprocess_compatible': TRUE
        }) AS active_addons
    FROM range(1000000) AS clients (i)
) TO 'taar_clients.parquet' (FORMAT parquet);
COPY (
    SELECT CAST(json_group_object('addon-' || i, {
            'guid': 'addon-' || i || '@made-up.example',
            'current_version': {'files': [{'is_webextension': TRUE}]}
        }) AS VARCHAR) AS text
    FROM range(2000) AS addons (i)
) TO 'taar_whitelist.json' (FORMAT csv, HEADER FALSE, QUOTE '', ESCAPE '', DELIMITER '\t');
