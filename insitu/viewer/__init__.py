"""The viewer: a page that gets models, not pixels, and decodes and draws them in the browser.

In: a record, an insitu file, an array, a running simulation. Out: one HTML file, or a local server.
"""
