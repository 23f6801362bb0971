"""The damaged and foreign files among these data, byte by byte: `python3 make.py` writes them anew."""
import struct, zipfile


def npy(descr: str, shape: str, data: bytes) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust((-10 - len(header) - 1) % 64 + len(header)) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


floats = lambda *values: struct.pack(f"<{len(values)}d", *values)
FILES = {
    "wrong.npy": npy("'<f8'", "(5, 3)", floats(*range(15))),
    "truncated.npy": npy("'<f8'", "(5, 3)", floats(*range(10))),
    "object.npy": npy("'|O'", "(2,)", b"\x80\x04]\x94(K\x01K\x02e."),
    "complex.npy": npy("'<c16'", "(2,)", floats(1, 2, 3, 4)),
    "ragged.json": b"[[1, 2],\n [3]]\n",
    "words.json": b'[[1, 2], [3, "four"]]\n',
    "broken.json": b"[1, 2\n",
    "empty-cell.csv": b"height,width\n1,2\n3,\n",
    "word.csv": b"height,width\n1,2\n3,tall\n",
    "notes.txt": b"one two\n",
}
for name, content in FILES.items():
    with open(name, "wb") as file:
        file.write(content)
with zipfile.ZipFile("pair.npz", "w") as archive:
    for name in "ab":
        archive.writestr(zipfile.ZipInfo(f"{name}.npy"), npy("'<f8'", "(2,)", floats(1, 2)))
