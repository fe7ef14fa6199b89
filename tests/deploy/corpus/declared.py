"""Declared buckets and their files."""

from packyak import Bucket, File, read_csv

inbox = Bucket("inbox")
archive = Bucket("archive")


# case: put_a_constant
async def put_a_constant():
    #: s3:PutObject bucket:archive/a.txt
    await archive.put("a.txt", "text")


# case: put_below_a_prefix
def put_below_a_prefix(day):
    #: s3:PutObject bucket:archive/days/*
    archive.put_sync(f"days/{day}.txt", b"")


# case: get_and_put
async def get_and_put(file: File):
    #: s3:PutObject bucket:archive/kept/*
    #: s3:GetObject bucket:inbox/*
    await Bucket("archive").put(f"kept/{file.key}", await inbox.get(file.key))


# case: list_a_bucket
async def list_a_bucket():
    #: s3:ListBucket bucket:inbox [bucket:inbox/]
    return await inbox.list("in/*.csv")


# case: list_then_get
def list_then_get():
    #: s3:ListBucket bucket:inbox [bucket:inbox/]
    for key in inbox.list_sync("in/*"):
        #: s3:GetObject bucket:inbox/in/*
        inbox.get_sync(key)


# case: delete_a_file
async def delete_a_file():
    #: s3:DeleteObject bucket:inbox/old.txt
    await inbox.delete("old.txt")


# case: through_a_helper
def keep(bucket, key):
    #: s3:PutObject bucket:inbox/x
    #: s3:PutObject bucket:archive/y
    bucket.put_sync(key, b"")


def through_a_helper():
    keep(inbox, "x")
    keep(archive, "y")


# case: verb_by_alias
def verb_by_alias():
    save = archive.put_sync
    #: s3:PutObject bucket:archive/a
    save("a", b"")


# case: file_made_by_hand
def file_made_by_hand():
    #: s3:GetObject bucket:inbox/a.csv
    return File("a.csv", "inbox").read_bytes()


# case: reader_of_files
def reader_of_files():
    #: s3:GetObject bucket:inbox/a.csv
    return list(read_csv(File("a.csv", "inbox")))


# case: file_of_this_machine
def file_of_this_machine(path):
    return File.at(path).text()
