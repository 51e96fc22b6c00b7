"""What the rows of notices and dispatches say, and what their events say of the same.

Parts of the statement of core/agreement.py: a notice is a stream of the log as a task is.
"""

from core.kept_notices import KEPT
from core.tags import Tag

# What somebody was told who was erased was dropped with them (core/kept_notices.py), without events
# of its own; one that went on by another way says so by the event of that.
ROWS = """
    select id as task_id, 'notice' as kind, '' as key from notices
        where organisation_id = :organisation_id and id = any (:tasks)
    union all
    select id, 'acknowledged', '' from notices where organisation_id = :organisation_id
        and id = any (:tasks) and acknowledged_at is not null
    union all
    select notice_id, 'dispatch', cast(id as text) from dispatches
        where organisation_id = :organisation_id and notice_id = any (:tasks)
    union all
    select notice_id, 'told', cast(id as text) from dispatches
        where organisation_id = :organisation_id and notice_id = any (:tasks)
        and sent_at is not null
    union all
    select notice_id, 'not told', id || ':' || state from dispatches
        where organisation_id = :organisation_id and notice_id = any (:tasks)
        and state in ('dropped', 'failed', 'digested') and reason is distinct from 'superseded'
        and address <> cast(id as text)
"""

# across organisations: of the events of one that core/agreement.py has picked
_DECIDED = f"""select task_id, seq, split_part(each, ' ', 1) as dispatch,
        split_part(each, ' ', 3) as state
    from event cross join lateral jsonb_array_elements_text(data -> 'dispatches') as each
    where tag = '{Tag.NOTICE_DECIDED}'"""  # noqa: S608  # tags are constants

EVENTS = f"""
    select task_id, 'notice' as kind, '' as key from event where tag = '{Tag.NOTICE_PUBLISHED}'
    union all
    select task_id, 'acknowledged', '' from event where tag = '{Tag.NOTICE_ACKNOWLEDGED}'
    union all
    select task_id, 'dispatch', dispatch from ({_DECIDED}) as decided
    union all
    select task_id, 'dispatch', data ->> 'to' from event where tag = '{Tag.DISPATCH_ELSEWHERE}'
    union all
    select distinct task_id, 'told', data ->> 'dispatch' from event
        where tag = '{Tag.DISPATCH_SENT}'
    union all
    select task_id, 'not told', concat(dispatch, ':', state) from (
        select distinct on (task_id, dispatch) task_id, dispatch, state from (
            {_DECIDED}
            union all
            select task_id, seq, data ->> 'dispatch', case tag
                when '{Tag.DISPATCH_DROPPED}' then 'dropped'
                when '{Tag.DISPATCH_FAILED}' then 'failed'
                when '{Tag.DISPATCH_DIGESTED}' then 'digested' else 'open' end
            from event where data ->> 'dispatch' is not null
                and tag <> '{Tag.DISPATCH_ELSEWHERE}'
        ) as moved order by task_id, dispatch, seq desc
    ) as last_of_dispatch where state in ('dropped', 'failed', 'digested')
        and not exists (select from dispatches d where d.organisation_id = :organisation_id
            and d.id = cast(dispatch as uuid) and d.address = dispatch)
"""  # noqa: S608  # likewise

# across organisations: likewise
FORGOTTEN = f"""
    select task_id from written where seq = 1 and tag = '{Tag.NOTICE_PUBLISHED}'
        and at < now() - interval '{KEPT.days - 1} days'
"""  # noqa: S608  # likewise
"""Notices whose rows may be gone (core/kept_notices.py)."""
