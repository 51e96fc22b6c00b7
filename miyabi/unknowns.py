"""What nobody knows the outcome of, over all organisations: for the doctor."""

from sqlalchemy import text

from core.house import House
from core.platform import Finding
from core.words import Words

MOST = 20
"""How many tasks are named."""

OUTCOMES = Words(
    ja="結果不明: メッセージ{messages}件、処理{effects}件",
    en="Outcome unknown: {messages} messages, {effects} acts",
    zh="结果不明: 消息{messages}条，操作{effects}项",
)
FIX = Words(
    ja="各タスクの会話を開き、実行されていたかどうかをボタンで答えてください: {tasks}",
    en="Open the conversation of each task and say there, by its buttons, what became of it: "
    "{tasks}",
    zh="请打开各任务的会话，用按钮回答是否已执行: {tasks}",
)

# across organisations: the doctor looks after the whole house
_UNKNOWN = text("""
    with unknown as (
        select organisation_id, task_id, 1 as messages, 0 as acts from deliveries
            where state = 'unknown'
        union all
        select organisation_id, task_id, 0, 1 from effects where state = 'unknown'
    )
    select o.slug, t.reference, sum(u.messages) as messages, sum(u.acts) as acts
    from unknown u join tasks t on t.organisation_id = u.organisation_id and t.id = u.task_id
    join organisations o on o.id = t.organisation_id
    group by o.slug, t.reference order by o.slug, t.reference
""")


async def outcomes(house: House) -> Finding:
    """Messages and acts of which a person has to say whether they went through, and whose."""
    async with house.engine.connect() as connection:
        rows = (await connection.execute(_UNKNOWN)).all()
    what = OUTCOMES.fill(
        messages=sum(row.messages for row in rows), effects=sum(row.acts for row in rows)
    )
    if not rows:
        return Finding(True, what)
    named = [f"#{row.reference} ({row.slug})" for row in rows[:MOST]]
    more = [f"+{len(rows) - MOST}"] if len(rows) > MOST else []
    return Finding(False, what, FIX.fill(tasks=", ".join([*named, *more])))
