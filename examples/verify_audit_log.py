"""Verifies the audit log in a Strongroom database file or backup with Python's own library alone:
    python3 verify_audit_log.py backup.sqlite [checkpoint.json]
docs/reference/audit-format.md tells what is checked. Signatures of checkpoints are not: Python's library has no Ed25519."""
import hashlib, json, sqlite3, sys

BLOCK = 256
sha = lambda *parts: hashlib.sha256(b"".join(parts)).digest()
same = ("actor", "component", "effective_at", "epoch", "id", "operation", "record_id", "request_id", "schema_version", "tenant", "timestamp", "transaction_id")

class Fault(Exception):
    pass

def root(leaves):
    """Merkle tree hash of RFC 9162, 2.1.1."""
    if len(leaves) == 1: return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1", root(leaves[:split]), root(leaves[split:]))

def leaf(entry):
    members = {name: entry[name] for name in same} | {"payload_hash": entry["payload_hash"].hex(), "position": entry["seq"]}
    return sha(b"\0", json.dumps(members, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode())

def check_payload(entry, erased):
    record = (entry["component"], entry["record_id"])
    if entry["operation"] == "erase": erased.pop(record, None)
    if entry["salt"] is None and entry["before"] is None and entry["after"] is None: erased.setdefault(record, entry["seq"])
    elif entry["salt"] is None or sha(entry["salt"], f'{{"after":{entry["after"] or "null"},"before":{entry["before"] or "null"}}}'.encode()) != entry["payload_hash"]:
        raise Fault(f"position {entry['seq']}: the images are not those that were hashed")

def verify(path, checkpoint=None):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    head = database.execute("SELECT * FROM strongroom_audit_head").fetchone()
    last, epoch, erased, blocks, link, found = head["retained_below"] - 1 if head["retained_below"] > 1 else 0, 0, {}, [], [], None
    whole = last == 0
    previous = (not whole and head["retained_hash"]) or sha(b"\3", head["origin"].encode())
    newest = previous
    for entry in database.execute("SELECT * FROM strongroom_audit_log WHERE seq IS NOT NULL ORDER BY seq"):
        restored = entry["operation"] == "restore_database" and entry["epoch"] > epoch
        if entry["seq"] <= last or (entry["seq"] > last + 1 and not restored): raise Fault(f"position {last + 1}: no entry is there; the next one has {entry['seq']}")
        blocks += [newest] * ((entry["seq"] - 1) // BLOCK - last // BLOCK)
        check_payload(entry, erased)
        if link and (entry["leaf"] is None or link[0]["leaf"] is None or entry["hash"] != link[0]["hash"]): previous, link = close(link, previous), []
        if entry["leaf"] is not None and entry["leaf"] != leaf(entry): raise Fault(f"position {entry['seq']}: the entry was changed")
        if entry["prev_hash"] != previous: raise Fault(f"position {entry['seq']}: its link does not hang on the one before")
        link.append(entry)
        last, epoch, newest = entry["seq"], entry["epoch"], entry["hash"]
        if last % BLOCK == 0: blocks.append(newest)
        if checkpoint and last == checkpoint["size"]: found = root(blocks + ([newest] if last % BLOCK else []))
    if link: previous = close(link, previous)
    if erased: raise Fault(f"position {min(erased.values())}: its images are gone, and no erase entry tells of it")
    if last != head["seq"] or (head["hash"] or previous) != previous: raise Fault(f"position {last + 1}: the log does not end where its head says, at {head['seq']}")
    if checkpoint and whole and (found is None or found.hex() != checkpoint["root"] or head["origin"] != checkpoint["origin"]):
        raise Fault(f"position {min(last, checkpoint['size'])} or before: the log is not what the checkpoint of {checkpoint['timestamp']} knows")
    return last

def close(link, previous):
    if sha(b"\2", previous, root([leaf(entry) for entry in link])) != link[0]["hash"]: raise Fault(f"position {link[0]['seq']} to {link[-1]['seq']}: the link was changed")
    return link[0]["hash"]

if __name__ == "__main__":
    try:
        print("whole up to position", verify(sys.argv[1], json.load(open(sys.argv[2])) if len(sys.argv) > 2 else None))
    except Fault as fault:
        sys.exit(f"not whole: {fault}")
