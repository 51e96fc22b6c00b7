"""What the way out says by itself."""

from core.words import Words

INSTEAD = Words(
    ja="依頼のあったチャンネルに投稿できないため、ここでお知らせします。",
    en="I can't post in the channel you asked in, so I write here.",
    zh="我无法在您发起请求的频道发言，因此在这里通知您。",
)
TOO_BIG = Words(
    ja="ファイルが大きいためリンクでお送りします: {link}",
    en="The file is too large here, so this is a link to it: {link}",
    zh="文件过大，请通过链接打开: {link}",
)
TOO_BIG_NO_LINK = Words(
    ja="ファイル「{name}」は大きすぎてここに投稿できません。",
    en="The file “{name}” is too large to be posted here.",
    zh="文件“{name}”过大，无法在此发布。",
)
