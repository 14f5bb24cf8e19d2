"""Finds the places of a C or OpenCL C text where one small change can be made, and makes it.

A mutant is one change of one token, index, condition or statement. Comments, strings, includes and the declared sizes of arrays are left
alone. Whether a mutant compiles is not known here."""
import random
import re
from collections import namedtuple

# at, end: the characters of the file that `after` replaces
Mutant = namedtuple("Mutant", "file at end kind after")
Token = namedtuple("Token", "text at")

COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
# Lines of the preprocessor that hold no code; what #define and #if say is code.
PREPROCESSOR = re.compile(r"^[ \t]*#[ \t]*(?:include|ifdef|ifndef|else|endif|pragma|error|undef)[^\n]*", re.M)
DIRECTIVE = re.compile(r"^([ \t]*#[ \t]*(?:define|if|elif))", re.M)
TOKEN = re.compile(r"[A-Za-z_]\w*|(?:\d[\w.]*|\.\d\w*)(?:(?<=[eE])[+-]\d+\w*)?|->|\+\+|--|<<=|>>=|&&|\|\||[<>=!+\-*/%&|^]=|<<|>>|\S")
NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)([a-zA-Z]*)$")
NAME = re.compile(r"[A-Za-z_]\w*$")
KEYWORDS = {"return", "else", "case", "do", "sizeof", "goto", "if", "for", "while", "switch"}
# What may stand before a mutated binary operator is an operand.
BINARY = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "+": "-", "-": "+", "*": "/", "/": "*", "%": "*",
          "&&": "||", "||": "&&", "&": "|", "|": "&", "^": "|", "<<": ">>", ">>": "<<"}
ASSIGNMENT = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|=", "<<=": ">>=", ">>=": "<<=", "%=": "/="}
EXTREME = {"min": "max", "max": "min", "fmin": "fmax", "fmax": "fmin", "cc_min_size": "cc_max_size", "cc_max_size": "cc_min_size"}
STATEMENT_ENDS = {";", "{", "}"}


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def tokens_of(text):
    """The tokens of the code; a macro's body is code as well, whose first token follows the name and parameters."""
    text = PREPROCESSOR.sub(blank, COMMENT_OR_STRING.sub(blank, text))
    text = DIRECTIVE.sub(blank, text).replace("\\\n", " \n")
    return [Token(match.group(0), match.start()) for match in TOKEN.finditer(text)]


def closing(tokens, opening):
    """The position of what closes the bracket at `opening`; None where it is left open."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    depth, close, same = 0, pairs[tokens[opening].text], tokens[opening].text
    for i in range(opening, len(tokens)):
        depth += (tokens[i].text == same) - (tokens[i].text == close)
        if depth == 0:
            return i
    return None


def ends_operand(token):
    return token.text in (")", "]") or (NAME.match(token.text) and token.text not in KEYWORDS) or token.text[0].isdigit()


def other_number(text):
    """A number beside it: one more, or another one where it has a point."""
    match = NUMBER.match(text)
    if not match:
        return None
    value, suffix = match.groups()
    if value.lower().startswith("0x"):
        return f"{int(value, 16) + 1:#x}{suffix}"
    if value.isdigit():
        return f"{int(value) + 1}{suffix}"
    return ("1.0" if float(value) == 0 else f"({value}{suffix} * 2)") + (suffix if float(value) == 0 else "")


def is_declared(tokens, bracket):
    """Whether the [ gives the size of a declared array: a type stands before its name."""
    if bracket == 0 or not NAME.match(tokens[bracket - 1].text):
        return True  # the second dimension, or the index of an initializer
    before = tokens[bracket - 2] if bracket > 1 else Token(";", 0)
    return bool(NAME.match(before.text) and before.text not in KEYWORDS) or (before.text == "*" and not ends_operand(tokens[bracket - 3]))


def statement_end(tokens, first):
    """The ; of a statement that only computes: an assignment or a call. None for declarations, jumps and all else."""
    if not NAME.match(tokens[first].text) and tokens[first].text not in ("*", "++", "--"):
        return None
    if tokens[first].text in KEYWORDS | {"break", "continue", "typedef", "struct", "enum", "static", "const", "default", "extern"}:
        return None
    following = tokens[first + 1] if first + 1 < len(tokens) else Token("", 0)
    # "type name", "type *name" and "label:" are no statements that compute; nor is a macro without a semicolon
    if NAME.match(following.text) or following.text in (":", ";") or (following.text == "*" and NAME.match(tokens[first].text)):
        return None
    depth = 0
    for i in range(first, len(tokens)):
        text = tokens[i].text
        depth += (text in "([") - (text in ")]")
        if text in "{}" or depth < 0:
            return None
        if text == ";" and depth == 0:
            return i
    return None


def find(file, text):
    """All mutants of one file, in its order."""
    tokens = tokens_of(text)
    found = []
    depth = 0  # of parentheses: what a for has between them are no statements of their own
    for i, (word, at) in enumerate(tokens):
        end = at + len(word)
        depth = max(0, depth + (word == "(") - (word == ")"))

        def add(kind, after, end=end, at=at):
            found.append(Mutant(file, at, end, kind, after))

        before = tokens[i - 1] if i else Token(";", 0)
        # The format has no space behind the * of a pointer, and two around an operator.
        pointer = word in "*&" and text[end:end + 1] != " "
        if word in BINARY and ends_operand(before) and not pointer:
            add("operator", BINARY[word])
        elif word in ASSIGNMENT:
            add("assignment", ASSIGNMENT[word])
        elif word in ("++", "--"):
            add("step", "--" if word == "++" else "++")
        elif word == "!":
            add("negation", "")
        elif word in EXTREME:
            add("extreme", EXTREME[word])
        elif word[0].isdigit() or (word[0] == "." and len(word) > 1):
            if other_number(word):
                add("constant", other_number(word))
        elif word in ("true", "false"):
            add("constant", "false" if word == "true" else "true")
        elif word == "[" and not is_declared(tokens, i):
            close = closing(tokens, i)
            if close and close > i + 1:
                inside = text[end:tokens[close].at]
                add("index", f"[({inside}) + 1]", tokens[close].at + 1)
                add("index", f"[({inside}) - 1]", tokens[close].at + 1)
        elif word == "if" and i + 1 < len(tokens) and tokens[i + 1].text == "(":
            close = closing(tokens, i + 1)
            if close:
                add("condition", f"if (!{text[tokens[i + 1].at:tokens[close].at + 1]})", tokens[close].at + 1)
        if depth == 0 and (before.text in STATEMENT_ENDS or before.text in (")", "else")):
            stop = statement_end(tokens, i)
            if stop and (before.text != ")" or is_condition(tokens, i - 1)):
                add("dropped", ";", tokens[stop].at + 1)
    return found


def is_condition(tokens, close):
    """Whether this ) ends the head of an if, for or while."""
    depth = 0
    for i in range(close, -1, -1):
        depth += (tokens[i].text == ")") - (tokens[i].text == "(")
        if depth == 0:
            return i > 0 and tokens[i - 1].text in ("if", "for", "while")
    return False


def apply(text, mutant):
    return text[:mutant.at] + mutant.after + text[mutant.end:]


def place(text, mutant):
    """Line and column, both from 1."""
    line = text.count("\n", 0, mutant.at) + 1
    return line, mutant.at - text.rfind("\n", 0, mutant.at)


def sample(texts, seed):
    """All mutants of {file: text} in an order that only depends on the texts and the seed."""
    found = [mutant for file in sorted(texts) for mutant in find(file, texts[file])]
    random.Random(seed).shuffle(found)
    return found
