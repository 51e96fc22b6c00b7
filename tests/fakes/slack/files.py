"""The three steps of uploading a file, and what Slack tells of one."""

import time

from tests.fakes.slack.chat import channel_of, check_message_blocks, thread_of, write
from tests.fakes.slack.limits import Json
from tests.fakes.slack.state import UploadedFile
from tests.fakes.slack.wire import file_json
from tests.fakes.slack.world import Ask, Method, SlackError


def get_upload_url(ask: Ask) -> Json:
    file_id = ask.workspace.next("F")
    file = UploadedFile(file_id, ask.args["filename"], ask.args["length"])
    file.alt = ask.args.get("alt_txt") or ""
    ask.workspace.files[file_id] = file
    where = f"{ask.world.base_url}/upload/{ask.workspace.team_id}/{file_id}"
    return {"upload_url": where, "file_id": file_id}


def complete(ask: Ask) -> Json:
    if ask.args.get("thread_ts") and not ask.args.get("channel_id"):
        ask.refuse("invalid_arguments", ["[ERROR] thread_ts without channel_id"])
    files = [ask.workspace.files.get(each["id"]) for each in ask.args["files"]]
    ready = [file for file in files if file is not None and file.data is not None]
    if len(ready) < len(files):
        raise SlackError("file_not_found")
    for file, named in zip(ready, ask.args["files"], strict=True):
        file.title = named.get("title") or file.title
    several = (ask.args.get("channels") or "").split(",")
    for name in [ask.args.get("channel_id"), *several]:
        if name:
            _share(ask, ready, name)
    for file in ready:
        file.complete = True
        file.ready_at = time.monotonic() + ask.world.file_ready_after
    return {"files": [file_json(file, ready=False) for file in ready]}


def _share(ask: Ask, files: list[UploadedFile], name: str) -> None:
    """Post a message with the files. A person's id will not do here: only a conversation's."""
    channel = channel_of(ask, name)
    if ask.args.get("blocks"):
        check_message_blocks(ask, ask.args["blocks"])
    words = {"text": ask.args.get("initial_comment") or "", "blocks": ask.args.get("blocks")}
    note = Ask(ask.world, ask.workspace, ask.method, words)
    message = write(note, channel, thread_ts=thread_of(ask, channel, ask.args.get("thread_ts")))
    message.files = files
    for file in files:
        file.shares.append((channel.id, message.ts))


def info(ask: Ask) -> Json:
    file = ask.workspace.files.get(ask.args["file"])
    if file is None or not file.complete:
        raise SlackError("file_not_found")
    shown = file_json(file, ready=time.monotonic() >= file.ready_at)
    shares: Json = {"public": {}, "private": {}}
    for channel_id, ts in file.shares:
        channel = ask.workspace.channels[channel_id]
        thread_ts = channel.messages[ts].thread_ts
        place = shares["private" if channel.private else "public"].setdefault(channel_id, [])
        place.append({"ts": ts} | ({"thread_ts": thread_ts} if thread_ts else {}))
    return {"file": shown | {"shares": shares}}


METHODS: dict[str, Method] = {
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete,
    "files.info": info,
}
