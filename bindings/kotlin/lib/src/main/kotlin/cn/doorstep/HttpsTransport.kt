package cn.doorstep

import cn.doorstep.ffi.PostAnswer
import cn.doorstep.ffi.PostRequest
import cn.doorstep.ffi.Reply
import cn.doorstep.ffi.Transport
import cn.doorstep.ffi.TransportFault
import java.io.IOException
import java.net.HttpURLConnection
import java.net.SocketTimeoutException
import java.net.URL
import java.util.concurrent.Executor
import java.util.concurrent.Executors

/** The platform's own HTTPS client (Android's, the JVM's), with its certificates and proxies; an app that has OkHttp writes the same over it. */
class HttpsTransport(
    private val executor: Executor = Executors.newCachedThreadPool { Thread(it, "doorstep-https").apply { isDaemon = true } },
) : Transport {
    override fun post(request: PostRequest, reply: Reply) = executor.execute {
        reply.use {
            try {
                it.answered(exchange(request))
            } catch (_: SocketTimeoutException) {
                it.failed(TransportFault.TIMED_OUT)
            } catch (_: IOException) {
                it.failed(TransportFault.UNREACHABLE)
            }
        }
    }

    private fun exchange(request: PostRequest): PostAnswer {
        val connection = URL(request.url).openConnection() as HttpURLConnection
        try {
            connection.requestMethod = "POST"
            connection.connectTimeout = 8_000
            connection.readTimeout = 8_000
            connection.doOutput = true
            connection.setFixedLengthStreamingMode(request.body.size)
            connection.setRequestProperty("content-type", request.contentType)
            connection.outputStream.use { it.write(request.body) }
            val status = connection.responseCode
            val body = (if (status < 400) connection.inputStream else connection.errorStream)?.use { it.readBytes() } ?: ByteArray(0)
            val code = connection.getHeaderField("doorstep-code")
            return PostAnswer(status.toUShort(), connection.contentType ?: "", code, body)
        } finally {
            connection.disconnect()
        }
    }
}
