-- The only way for the application to keep a document: under the hash that it has, so that nothing
-- can stand under another.
create function audit_keep(p_organisation uuid, p_media_type text, p_content bytea) returns text
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    hash constant text := encode(sha256(p_content), 'hex');
begin
    insert into audit_blobs (organisation_id, sha256, media_type, content)
        values (p_organisation, hash, p_media_type, p_content)
        on conflict (organisation_id, sha256) do nothing;
    return hash;
end $$;
revoke execute on function audit_keep(uuid, text, bytea) from public;
grant execute on function audit_keep(uuid, text, bytea) to miyabi_app;
revoke insert on audit_blobs from miyabi_app;

-- A stream goes on from where it was: also its owner can't turn it back.
create trigger append_only_growth before update on audit_streams for each row
    when (new.stream <> old.stream or new.organisation_id <> old.organisation_id
        or new.count <= old.count)
    execute function audit_refuse();
