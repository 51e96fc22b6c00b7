#!/bin/bash
# Runs once, in a new database volume: makes the login that web and workers use. It owns nothing;
# what it may do are the rights of the role `miyabi_app`, which the migrations fill.
set -euo pipefail
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$MIYABI_DB_PASSWORD" \
    --set database="$POSTGRES_DB" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE miyabi_app NOLOGIN;
CREATE ROLE miyabi_login LOGIN NOINHERIT PASSWORD :'password' IN ROLE miyabi_app;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO miyabi_login;
SQL
