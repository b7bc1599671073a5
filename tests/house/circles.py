"""Circles between the files of a folder; rules.py holds the rule.

NAME.c and NAME.h are one node. A node leads to another where it includes its header, or where it names a function that the other
defines. What macros make out of pieces of names is not seen.
"""
import collections
import os
import re

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)
HEAD = (r'^(static\b\s*)?(?!static\b|typedef\b|return\b|else\b)[A-Za-z_][^;{}()=#]*?\b([a-z_]\w*)'
        r'\((?:[^;{}()]|\([^()]*\))*\)')
FUNCTION = re.compile(HEAD + r'\s*\{', re.M)
PROMISE = re.compile(HEAD + r'[^;{}=]*;', re.M)
WORD = re.compile(r'(?<![\w.>])[a-z]\w*_\w+')


def stem(path):
    return os.path.splitext(path)[0]


def edges(top, files):
    """{node: {node: why}}; files: [(path, text without comments and strings)], paths relative to the root."""
    nodes = {stem(path) for path, _ in files}
    homes, own = collections.defaultdict(set), collections.defaultdict(set)
    for path, text in files:
        for match in FUNCTION.finditer(text):
            if match.group(1) or path.endswith('.h'):
                own[stem(path)].add(match.group(2))
            else:
                homes[match.group(2)].add(stem(path))
    leads = collections.defaultdict(dict)
    for path, text in sorted(files):
        here = stem(path)
        for match in INCLUDE.finditer(text):
            for place in (os.path.join(os.path.dirname(path), match.group(1)), os.path.join(top, match.group(1))):
                there = stem(os.path.normpath(place))
                if there in nodes:
                    if there != here:
                        leads[here].setdefault(there, 'includes')
                    break
        for word in WORD.findall(PROMISE.sub('', text)):
            if word in homes and here not in homes[word] and word not in own[here]:
                for there in homes[word]:
                    leads[here].setdefault(there, word)
    return leads


def way(leads, start, goal):
    """The shortest way from a node to another over at least one edge, as nodes; None if there is none."""
    before, queue = {}, collections.deque([start])
    while queue:
        node = queue.popleft()
        for there in sorted(leads.get(node, ())):
            if there == goal:
                found = [there, node]
                while found[-1] != start:
                    found.append(before[found[-1]])
                return found[::-1]
            if there not in before and there != start:
                before[there] = node
                queue.append(there)
    return None


def circles(top, files):
    """A sentence for each circle, "a -> b (includes) -> a (function)"; a node is in one of them at most."""
    leads, told, found = edges(top, files), set(), []
    for node in sorted(leads):
        ring = None if node in told else way(leads, node, node)
        if ring and not told & set(ring):
            told |= set(ring)
            found.append((ring[0], 'a circle of files: ' + ring[0] + ''.join(
                ' -> %s (%s)' % (there, leads[here][there]) for here, there in zip(ring, ring[1:]))))
    return found
