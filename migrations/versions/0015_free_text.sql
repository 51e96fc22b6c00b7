-- An index of words that stays quick with ten million documents. One of pairs of characters alone
-- (0005) does not: each pair of a number is in every tenth document, and what one organisation
-- writes lay in the way of all others.
--
-- A gram is a pair of neighbouring characters, or four that are ASCII: of digits and Latin letters
-- there are so few that a pair says little. It is indexed as a number made of the quarter of the
-- year (its upper bits: what is written now lies together), the organisation and the characters.
-- Two of the same number only make a document be looked at in vain: what is found is compared
-- letter by letter. hashtextextended() is what hash indexes and partitions stand on, and does not
-- change under them.

-- Quarters since 2000, 0 to 399; what is older or younger is counted to the first and last years.
create function audit_quarter(p_dated date) returns int
    language sql immutable strict parallel safe
    return (extract(year from greatest(least(p_dated, '2099-12-31'), '2000-01-01'))::int - 2000) * 4
        + extract(quarter from greatest(least(p_dated, '2099-12-31'), '2000-01-01'))::int - 1;

create function audit_gram(p_organisation uuid, p_quarter int, p_gram text) returns bigint
    language sql immutable strict parallel safe
    return (p_quarter::bigint << 54) | (
        hashtextextended(p_gram, uuid_hash_extended(p_organisation, 0)) & ((1::bigint << 54) - 1));

-- All grams of a folded text, and some across its lines, which nobody looks for: to leave them out
-- takes longer than to keep them. Null where there are none.
create function audit_grams(p_organisation uuid, p_quarter int, p_folded text) returns bigint[]
    language sql immutable strict parallel safe cost 1000
    return (
        select array_agg(audit_gram(p_organisation, p_quarter, a || b))
            || array_agg(audit_gram(p_organisation, p_quarter, a || b || c || d))
                filter (where octet_length(a || b || c || d) = 4)
        from unnest(string_to_array(p_folded, null), (string_to_array(p_folded, null))[2:],
                (string_to_array(p_folded, null))[3:], (string_to_array(p_folded, null))[4:])
            as following(a, b, c, d)
        where b is not null);

-- Whether these are four ASCII characters of one line, where they are four.
create function audit_is_four(p_text text) returns boolean
    language sql immutable parallel safe
    return coalesce(octet_length(p_text) = 4 and strpos(p_text, E'\n') = 0, false);

-- Which of them a text has that holds each line of this one: the fours, and those pairs that are
-- in none of them.
create function audit_sought(p_organisation uuid, p_quarter int, p_folded text) returns bigint[]
    language sql immutable strict parallel safe
    return array(
        select distinct audit_gram(p_organisation, p_quarter, gram)
        from (select array[null, null] || string_to_array(p_folded, null)) as folded (chars),
            unnest(chars, chars[2:], chars[3:], chars[4:], chars[5:], chars[6:])
                as following (y, z, a, b, c, d),
            lateral (
                select a || b || c || d where audit_is_four(a || b || c || d)
                union all
                select a || b
                where strpos(a || b, E'\n') = 0 and not audit_is_four(y || z || a || b)
                    and not audit_is_four(z || a || b || c)
                    and not audit_is_four(a || b || c || d)
            ) as grams (gram));

drop index audit_documents_words, audit_counterparties_words;
drop function audit_bigrams;
create index audit_documents_words on audit_documents
    using gin (audit_grams(organisation_id, audit_quarter(dated), words)) with (fastupdate = off);
-- Names have no date: all are in the first quarter.
create index audit_counterparties_words on audit_counterparties
    using gin (audit_grams(organisation_id, 0, folded)) with (fastupdate = off);
