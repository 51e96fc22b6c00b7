"""Google Sheets: the price list and the customers are read from one, the ledger is kept in one.

Signed in with a service account that the spreadsheet is shared with.
"""

from connectors.google_sheets.catalogue import open_sheet
from connectors.google_sheets.ledger import open_ledger
from core.connector import Connector

connector = Connector(name="google_sheets", open=open_sheet, open_ledger=open_ledger)
