"""How anybody checks the documents that are handed over, in our languages."""

from core.words import Words

_ABOUT = Words(
    ja="""\
この書庫の内容
  documents/   書類（電子取引データ）
  index.csv    索引。取引年月日・取引金額・取引先と、各書類・証明の収録先、SHA-256
  proofs/      証明。書類ごとに2つ（下記）。証明がまだない場合、index.csv の欄は空です
  keys.txt     監査ログの公開鍵（参考）。確認には、会社から別の方法で受け取った公開鍵を使って
               ください

確認のしかた（会社のサーバーにもインターネットにも接続不要）
  1. 書類が索引と同じであること
       sha256sum documents/2026-11/…    → index.csv の SHA-256 と同じ
  2. 書類が改変されていないこと（*.issued.json）
       miyabi audit check --key 公開鍵 proofs/2026-11/….issued.json
     → イベント worker:document:issued の data.sha256 が書類の SHA-256 と同じ
  3. 索引が改変されていないこと（*.numbered.json）
       miyabi audit check --key 公開鍵 proofs/2026-11/….numbered.json
     → イベント worker:document:numbered の data.number が書類番号、data.index_sha256 が次の1行
       （UTF-8、改行なし、空白なし、金額のない書類は null。表計算用に付けた先頭の ' は
       含まない）の SHA-256 と同じ
       {"amount":550000,"counterparty":"取引先","date":"2026-11-25","id":"書類ID","number":"書類番号"}
""",
    en="""\
What is in this archive
  documents/   the documents (data of electronic transactions)
  index.csv    their index: date, amount, counterparty; where each and its proofs are; SHA-256
  proofs/      two proofs of each document (below). Where there is none yet, index.csv says nothing
  keys.txt     the public keys of the audit log, for reference. Check with the public key that the
               company gave you in another way

How to check (without the company's server, without a network)
  1. A document is the one of the index
       sha256sum documents/2026-11/…    -> SHA-256 in index.csv
  2. It was not changed since it was issued (*.issued.json)
       miyabi audit check --key KEY proofs/2026-11/….issued.json
     -> data.sha256 of the event worker:document:issued is the document's SHA-256
  3. Its line of the index was not changed (*.numbered.json)
       miyabi audit check --key KEY proofs/2026-11/….numbered.json
     -> data.number of the event worker:document:numbered is its number, data.index_sha256 the
       SHA-256 of this line (UTF-8, no line end, no spaces, null where it is about no money; a ' in
       front, which is there for spreadsheets, is no part of a name)
       {"amount":550000,"counterparty":"NAME","date":"2026-11-25","id":"ID","number":"NUMBER"}
""",
    zh="""\
本归档的内容
  documents/   文件（电子交易数据）
  index.csv    索引：交易日期、交易金额、交易对方；各文件及其证明的位置；SHA-256
  proofs/      证明，每份文件两个（见下）。尚无证明时，index.csv 中该栏为空
  keys.txt     审计日志的公钥（供参考）。请使用公司以其他方式提供的公钥进行验证

验证方法（无需连接公司的服务器，也无需网络）
  1. 文件与索引一致
       sha256sum documents/2026-11/…    → 与 index.csv 的 SHA-256 相同
  2. 文件自开具以来未被更改（*.issued.json）
       miyabi audit check --key 公钥 proofs/2026-11/….issued.json
     → 事件 worker:document:issued 的 data.sha256 与文件的 SHA-256 相同
  3. 索引未被更改（*.numbered.json）
       miyabi audit check --key 公钥 proofs/2026-11/….numbered.json
     → 事件 worker:document:numbered 的 data.number 为文件编号，data.index_sha256 与下面一行
       （UTF-8，无换行，无空格，不涉及金额时为 null；为电子表格添加的开头 ' 不计入）的 SHA-256
       相同
       {"amount":550000,"counterparty":"交易对方","date":"2026-11-25","id":"文件ID","number":"文件编号"}
""",
)
README = "\n".join((_ABOUT.ja, _ABOUT.en, _ABOUT.zh)).replace("\n", "\r\n")
