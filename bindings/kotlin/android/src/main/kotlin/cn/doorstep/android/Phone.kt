package cn.doorstep.android

import android.content.Context
import cn.doorstep.Doorstep
import cn.doorstep.HttpsTransport
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.io.File

/** The one opened phone of the process: screens and background work share it, because a store is opened once. */
object Phone {
    private val mutex = Mutex()
    private var opened: Doorstep? = null

    /** The phone of this person; opened when it is first asked for. */
    suspend fun of(context: Context, person: String = "worker"): Doorstep = mutex.withLock {
        opened ?: Doorstep.open(
            folder = File(context.filesDir, "doorstep-$person").toPath(),
            keys = KeystoreKeys(context, "doorstep-$person"),
            transport = HttpsTransport(),
            markFile = File(context.noBackupFilesDir, "doorstep-$person.life").toPath(),
        ).also { opened = it }
    }
}
