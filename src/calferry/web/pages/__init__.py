"""The pages: how every calendar fares, seen and acted upon in a browser.

In the order of reading: `passwords` and `access` (who may come in), `words` (English and French), `overview`, `agenda`,
`story` and `subscriptions` (what each page shows), `chart`, `actions` (what a person does), `site` (what is answered).
"""
