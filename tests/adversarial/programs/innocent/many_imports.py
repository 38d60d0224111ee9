# ruff: noqa
# expect: passed
# Imports much of the standard library.
import argparse
import ast
import asyncio
import concurrent.futures
import csv
import difflib
import email
import hashlib
import http.client
import inspect
import logging
import multiprocessing
import sqlite3
import ssl
import unittest
import urllib.request
import xml.etree.ElementTree
import zoneinfo


def task(numbers):
    return sorted(numbers)
