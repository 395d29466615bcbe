"""Tells when a disk gets full."""

import shutil

NAME = "disk"


async def run(ctx):
    while True:
        usage = shutil.disk_usage(ctx.settings.get("path", "/"))
        used = round(100 * usage.used / usage.total)
        kept = await ctx.recall("last") or {"used": 0}
        if used != kept["used"]:
            await ctx.emit({"used": used, "at": ctx.now()})
            await ctx.keep("last", {"used": used})
        await ctx.sleep(ctx.settings.get("every", 300))


def process(raw):
    limit = 0  # every change is told; return None for what is not worth a signal
    if raw["used"] < limit:
        return None
    return {"content": f"The disk is {raw['used']} % full", "matter": "disk:full", "metadata": {"used": raw["used"]}}


def priority(signal):
    return "high" if signal.metadata["used"] >= 95 else "low"
