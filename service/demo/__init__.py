"""A sample newsroom and the sites that repost it: everything here is invented and written for this project.

newsroom   outlets, mandates, licences and articles     content/   the articles, one JSON line each
edits      what a copier does to a text (PURE)          plan       which page copies what, from a seed
sites      the plan as real pages, served on loopback   answers    the answer key; ask for it only after the scan
"""
