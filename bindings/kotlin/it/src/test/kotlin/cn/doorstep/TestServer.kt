/** A real `doorstep` server in a process of its own, on a free port, ended by its own process. */
package cn.doorstep

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

class TestServer(private val folder: Path = Files.createTempDirectory("doorstep-kotlin")) : AutoCloseable {
    private val binary: String = System.getProperty("doorstep.binary") ?: error("-Ddoorstep.binary names the server")
    private val process: Process = ProcessBuilder(binary, "demo", "--empty", "--port", "0", "--data", folder.resolve("demo").toString())
        .redirectError(folder.resolve("server.log").toFile()).start()
    val url: String
    private var used = 0

    init {
        val lines = process.inputStream.bufferedReader().lineSequence()
        url = lines.firstNotNullOfOrNull { Regex("http://[0-9.:]+").find(it)?.value } ?: error("the server did not start: see $folder/server.log")
    }

    /** The people: code, grid, name. */
    private val people = Files.readAllLines(folder.resolve("demo/codes.txt")).map { it.split('\t') }

    fun worker(grid: Int): String = people.first { it[1] == "第${grid}网格" }[2]

    /** A one-time code of a worker. */
    fun code(grid: Int = 17): String = codeOf(worker(grid))

    fun centreCode(): String = people.first { it[2] == "centre" }[0]

    private fun codeOf(name: String): String =
        Regex("[A-Z0-9]{4}-[A-Z0-9]{4,}").find(admin("code", name))?.value ?: error("no code for $name")

    /** `doorstep admin` as its operator. */
    fun admin(vararg arguments: String): String {
        val token = folder.resolve("demo/server/admin.token").toString()
        val asked = ProcessBuilder(listOf(binary, "admin", "--server", url, "--token-file", token) + arguments).redirectErrorStream(true).start()
        val said = asked.inputStream.bufferedReader().readText()
        check(asked.waitFor() == 0) { "${arguments.toList()}: $said" }
        return said
    }

    /** A new folder for a phone. */
    fun phoneFolder(): Path = folder.resolve("phone-${used++}")

    override fun close() {
        process.destroy()
        if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
        folder.toFile().deleteRecursively()
    }
}
