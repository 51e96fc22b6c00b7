"""Transfer files in the form of the Japanese Bankers Association (全銀協 総合振込)."""
