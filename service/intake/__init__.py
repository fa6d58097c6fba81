"""Bytes to article: check an address, fetch it politely, decode it, read it. Never sees the database.

guard     may this address be fetched, and at which IP
transport HTTP/1.1 that connects to the checked IP only
page      what a visit brings home, and how it can fail
fetch     one page with every limit and everything evidence needs
robots    what a site asks of crawlers
charset   bytes to text, whatever the label says
extract   visible text at once; main text with care
metadata  title, byline, stated source, publication time
links     article links of a page; one spelling per address
warc      captures and archives, in and out
"""
